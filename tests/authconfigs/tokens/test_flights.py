import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from authconfigs.errors import TimedOut
from authconfigs.symptoms import Stage
from authconfigs.tokens.flights import Flights


def test_threads_share_one_run_and_its_result() -> None:
    flights: Flights[int] = Flights()
    arrived, go = threading.Barrier(9), threading.Event()
    runs = []

    def work() -> int:
        runs.append(1)
        go.wait(5)
        return 7

    def ask() -> tuple[int, bool]:
        arrived.wait(5)
        return flights.share("key", work, timeout=5)

    with ThreadPoolExecutor(8) as pool:
        shared = [pool.submit(ask) for _ in range(8)]
        arrived.wait(5)
        time.sleep(0.1)
        go.set()
        results = [one.result() for one in shared]

    assert len(runs) == 1
    assert sorted(results) == [(7, False)] * 7 + [(7, True)]


def test_another_key_has_a_run_of_its_own() -> None:
    flights: Flights[str] = Flights()

    def outer() -> str:
        return flights.share("other", lambda: "inner", timeout=1)[0]

    assert flights.share("key", outer, timeout=1) == ("inner", True)


def test_a_verdict_is_shared() -> None:
    flights: Flights[int] = Flights()
    started, go = threading.Event(), threading.Event()

    def work() -> int:
        started.set()
        go.wait(5)
        raise TimedOut("too slow", stage=Stage.CONNECT)

    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(flights.share, "key", work, timeout=5)
        started.wait(5)
        second = pool.submit(flights.share, "key", lambda: 1, timeout=5)
        time.sleep(0.1)
        go.set()
        with pytest.raises(TimedOut):
            second.result()
        with pytest.raises(TimedOut):
            first.result()


def test_a_crash_isnt_shared() -> None:
    flights: Flights[int] = Flights()
    started, go = threading.Event(), threading.Event()

    def crash() -> int:
        started.set()
        go.wait(5)
        raise RuntimeError("a bug")

    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(flights.share, "key", crash, timeout=5)
        started.wait(5)
        second = pool.submit(flights.share, "key", lambda: 1, timeout=5)
        go.set()
        assert second.result() == (1, True)
        with pytest.raises(RuntimeError):
            first.result()


def test_who_waits_too_long_gives_up() -> None:
    flights: Flights[int] = Flights()
    started, go = threading.Event(), threading.Event()

    def work() -> int:
        started.set()
        go.wait(5)
        return 1

    with ThreadPoolExecutor(1) as pool:
        pool.submit(flights.share, "key", work, timeout=5)
        started.wait(5)
        with pytest.raises(TimeoutError):
            flights.share("key", lambda: 2, timeout=0.01)
        go.set()
