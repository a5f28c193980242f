import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from config.supervisor import Pace
from tests.config.checkout import ROOT

# Says who it is and starts a worker of its own, as servers do; that one ignores polite requests.
PROGRAM = """
import os, signal, subprocess, sys, time
worker = subprocess.Popen([sys.executable, "-c", "import signal, time; signal.signal(15, signal.SIG_IGN); time.sleep(60)"])
print("running", os.getpid(), worker.pid, flush=True)
time.sleep(60)
"""

SUPERVISOR = """
import json, os, pathlib, sys
from config.supervisor import Pace, Program, Supervisor
programs = [Program(name, (sys.executable, "-c", text)) for name, text in json.loads(sys.argv[1])]
pace = Pace(window=60, tolerated=3, first=30)
Supervisor(programs, folder=pathlib.Path.cwd(), environment=os.environ, pace=pace, grace=float(sys.argv[2])).run()
print("the end", flush=True)
"""


class Running:
    """A supervisor in a process of its own, and what it has printed so far."""

    def __init__(self, process: subprocess.Popen[str], output: Path) -> None:
        self.process = process
        self._output = output

    def lines(self) -> list[str]:
        return self._output.read_text().splitlines()

    def wait_for(self, text: str, *, times: int = 1) -> list[str]:
        """The lines that hold `text`, once there are so many."""
        wait_until(lambda: sum(text in line for line in self.lines()) >= times, self._output)
        return [line for line in self.lines() if text in line]

    def processes(self, name: str) -> tuple[int, int]:
        """The ids of a program and of its worker."""
        line = next(line for line in reversed(self.lines()) if line.startswith(name))
        first, second = line.split()[-2:]
        return int(first), int(second)


def wait_until(
    condition: Callable[[], bool], output: Path | None = None, *, seconds: float = 20
) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        shown = output.read_text() if output else ""
        assert time.monotonic() < deadline, shown
        time.sleep(0.05)


def is_alive(process: int) -> bool:
    try:
        state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


@contextmanager
def supervised(tmp_path: Path, *, grace: float = 10, **texts: str) -> Iterator[Running]:
    output = tmp_path / "output"
    with output.open("w") as file:
        process = subprocess.Popen(
            [sys.executable, "-c", SUPERVISOR, json.dumps(list(texts.items())), str(grace)],
            cwd=ROOT,
            stdout=file,
            stderr=subprocess.STDOUT,
            text=True,
        )
    try:
        yield Running(process, output)
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        process.wait()


def test_lines_carry_the_name_of_the_program(tmp_path: Path) -> None:
    talk = "import time; print('hello'); print('no newline', end='', flush=True); time.sleep(60)"
    with supervised(tmp_path, one=talk, another=talk) as running:
        running.wait_for("hello", times=2)
        running.process.terminate()
        running.process.wait(20)
        lines = running.lines()
        for name in ("one", "another"):
            assert f"{name:<8} | hello" in lines
            assert f"{name:<8} | no newline" in lines


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_signal_ends_all_programs_and_what_they_started(tmp_path: Path, number: int) -> None:
    with supervised(tmp_path, one=PROGRAM, two=PROGRAM) as running:
        running.wait_for("running", times=2)
        everyone = [*running.processes("one"), *running.processes("two")]
        assert all(is_alive(process) for process in everyone)
        running.process.send_signal(number)
        assert running.process.wait(20) == 0
        assert running.lines()[-1] == "the end"
        wait_until(lambda: not any(is_alive(process) for process in everyone))


def test_kill_of_the_supervisor_ends_all_programs(tmp_path: Path) -> None:
    with supervised(tmp_path, one=PROGRAM, two=PROGRAM) as running:
        running.wait_for("running", times=2)
        programs = [running.processes(name)[0] for name in ("one", "two")]
        workers = [running.processes(name)[1] for name in ("one", "two")]
        running.process.kill()
        wait_until(lambda: not any(is_alive(process) for process in programs))
        # Plain sub-processes know nothing of tethers; ours (gunicorn, Celery) put them on theirs.
        for process in workers:
            with suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)


def test_dead_program_is_started_again_and_said_so(tmp_path: Path) -> None:
    with supervised(tmp_path, one=PROGRAM, two=PROGRAM) as running:
        running.wait_for("running", times=2)
        victim, left_behind = running.processes("one")
        other = running.processes("two")
        os.kill(victim, signal.SIGKILL)
        running.wait_for("running", times=3)
        assert running.wait_for("one was killed by signal 9; starting it again now.")
        assert running.processes("one")[0] != victim
        wait_until(lambda: not is_alive(left_behind))
        assert running.processes("two") == other


def test_third_death_within_a_minute_is_followed_by_a_pause(tmp_path: Path) -> None:
    with supervised(tmp_path, one="import sys; print('here'); sys.exit(7)") as running:
        [line] = running.wait_for("in 30 s")
        assert "one ended with code 7; starting it again in 30 s, after 3 ends within 60 s." in line
        time.sleep(1)
        assert len(running.wait_for("here", times=3)) == 3


def test_pauses_double_up_to_the_longest() -> None:
    pace = Pace(tolerated=3, first=5, longest=60)
    assert [pace.wait(deaths) for deaths in range(1, 9)] == [0, 0, 5, 10, 20, 40, 60, 60]


def test_program_that_will_not_end_is_killed_after_its_grace(tmp_path: Path) -> None:
    stubborn = (
        "import os, signal, time; signal.signal(15, signal.SIG_IGN);"
        "print('running', os.getpid(), os.getpid(), flush=True); time.sleep(60)"
    )
    with supervised(tmp_path, grace=1, one=stubborn) as running:
        running.wait_for("running")
        running.process.terminate()
        assert running.process.wait(20) == 0
        assert not is_alive(running.processes("one")[0])


def test_second_signal_does_not_wait(tmp_path: Path) -> None:
    stubborn = "import signal, time; signal.signal(15, signal.SIG_IGN); print('running', flush=True); time.sleep(60)"
    with supervised(tmp_path, grace=300, one=stubborn) as running:
        running.wait_for("running")
        running.process.send_signal(signal.SIGINT)
        running.wait_for("Stopping.")
        running.process.send_signal(signal.SIGINT)
        assert running.process.wait(20) == 0


def test_flood_of_output_keeps_nobody_waiting(tmp_path: Path) -> None:
    flood = "while True: print('x' * 1000)"
    with supervised(tmp_path, flood=flood, one=PROGRAM) as running:
        running.wait_for("running")
        running.process.terminate()
        assert running.process.wait(20) == 0
