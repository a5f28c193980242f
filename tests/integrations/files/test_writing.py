from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrations.files.reading import parse
from integrations.files.writing import write_yaml

TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))
SCALARS = st.none() | st.booleans() | st.integers(-(10**20), 10**20) | TEXT
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4)
)


@given(st.dictionaries(TEXT, VALUES))
def test_what_is_written_reads_back(value: dict[str, Any]) -> None:
    assert parse(write_yaml(value).encode()).value == value


AWKWARD = """no|-.5|0123|1e3|0x1F|~|null|True|| x|x |- a|a: b|#|${env:A}|2027-01-31|*a|&a|!a|%a|@a|`a|?|a #b|é|=|<<"""


@pytest.mark.parametrize("text", AWKWARD.split("|"))
def test_text_stays_text(text: str) -> None:
    assert parse(write_yaml({"a": text, text: [text]}).encode()).value == {"a": text, text: [text]}
