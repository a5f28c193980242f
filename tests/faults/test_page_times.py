"""Every page costs the same with 100 configs and with 1,000 of them, as many connections, and 100,000 test rows.

A small and a large tenant live in one database, and each page is opened by turns in either, so that a machine that is busy
for a while is so for both. What is compared is the median of 20 times: of the processor's time on SQLite, which works in
this thread, and of the clock's on a server. Run in short, a page that is far from the limit after the first few times isn't
opened more often, and of lists with filters and in other orders only the queries are counted.
"""

import logging
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import connection

from tests.faults import FULL
from tests.faults.consoles import database_of_this_process
from tests.flows.full_tenant import fill
from tests.flows.page_times import Measured, Visitor, counted, pages, time_them

pytestmark = pytest.mark.faults

ROWS, TESTS = (100, 1_000), (100, 100_000)
QUERIES, RATIO = 20, 1.3
# 20 times in all; run in short, the later turns are for pages that aren't far from the limit by then.
TURNS, FAR = (2, 5, 13), 1.2


@pytest.fixture
def own_database(
    kind: str, empty_database: Callable[..., str], django_db_blocker: Any, request: Any
) -> Iterator[None]:
    """A database for so many rows, of which nothing is left for others."""
    postgres = request.getfixturevalue("servers")[0] if kind == "servers" else None
    url = empty_database("pages", postgres)
    with django_db_blocker.unblock(), database_of_this_process(url):
        yield


def verdict(each: Measured) -> str:
    """What is wrong with a page; empty where nothing is."""
    few, many = each.queries
    if max(few, many) > QUERIES:
        return f"more than {QUERIES} queries"
    if few != many:
        return "not as many queries"
    return f"takes more than {RATIO} times as long" if each.ratio > RATIO else ""


def test_pages_cost_the_same_however_much_there_is(
    own_database: None, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    # Which addresses open with GET is found out by trying.
    caplog.set_level(logging.CRITICAL, logger="django.request")
    small, large = (
        Visitor(fill(slug, rows=rows, tests=tests))
        for slug, rows, tests in zip(("small", "large"), ROWS, TESTS, strict=True)
    )
    if connection.vendor == "postgresql":
        # It does so by itself, a minute after so many rows came.
        with connection.cursor() as cursor:
            cursor.execute("VACUUM ANALYZE")
    measured = counted(pages(small, large), small, large)
    timed = [each for each in measured if FULL or not each.page.is_variant]
    for times in TURNS:
        time_them(timed, small, large, times=times)
        timed = [each for each in timed if FULL or each.ratio > FAR]
    table = "\n".join(f"{each} {verdict(each)}".rstrip() for each in measured)
    if FULL:
        with capsys.disabled():
            print(f"\n{table}")
    assert len(measured) > 100
    assert not [each for each in measured if verdict(each)], f"\n{table}"
