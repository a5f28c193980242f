"""Runs several programs as one: their lines with their names before them, restarted when they die, ended together.

One thread, one loop. Every program leads a process group of its own, so that what it started ends with it, and is tethered
to this process, so that nothing survives a kill -9 of it.
"""

import functools
import os
import signal
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import IO, TextIO, cast

from config.tether import tether

_TICK = 0.1


@dataclass(frozen=True)
class Program:
    """What to run, and the name that its lines carry."""

    name: str
    command: tuple[str, ...]


@dataclass(frozen=True)
class Pace:
    """How restarts slow down.

    From the `tolerated`-th death within `window` seconds on, the next start waits `first` seconds, then double, up to `longest`.
    """

    window: float = 60
    tolerated: int = 3
    first: float = 5
    longest: float = 60

    def wait(self, deaths: int) -> float:
        """Seconds to wait before the next start, after so many deaths in the window."""
        if deaths < self.tolerated:
            return 0
        return min(self.longest, self.first * 2.0 ** (deaths - self.tolerated))


class _Run:
    """One run of a program: its process and the end of a line that hasn't come yet."""

    def __init__(
        self,
        program: Program,
        *,
        folder: Path,
        environment: Mapping[str, str],
        inherited: tuple[int, ...],
    ) -> None:
        self._process = subprocess.Popen(  # noqa: S603
            program.command,
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            process_group=0,
            pass_fds=inherited,
            # Safe, because this process has one thread.
            preexec_fn=functools.partial(tether, os.getpid()),
        )
        self._pipe = cast("IO[bytes]", self._process.stdout)
        os.set_blocking(self._pipe.fileno(), False)
        self._unfinished = b""

    def lines(self) -> list[str]:
        """The whole lines that have come since the last call."""
        received = bytearray(self._unfinished)
        # Bounded, so that a program that never stops talking can't keep the loop from the others.
        while len(received) < 2**20:
            try:
                piece = os.read(self._pipe.fileno(), 65536)
            except BlockingIOError:
                break
            if not piece:
                break
            received += piece
        *lines, self._unfinished = bytes(received).split(b"\n")
        return [line.decode(errors="replace").rstrip("\r") for line in lines]

    def ended(self) -> int | None:
        """The exit code, negative for a signal; None while it runs."""
        return self._process.poll()

    def ask_to_end(self) -> None:
        if self.ended() is None:
            self._process.terminate()

    def bury(self) -> list[str]:
        """End what is left of the process and its group; returns its last words."""
        # A worker that outlives its master would keep the port.
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        last_words = self.lines()
        if self._unfinished:
            last_words.append(self._unfinished.decode(errors="replace"))
        self._pipe.close()
        return last_words


@dataclass
class _Seat:
    """The place of a program: its present run, its recent deaths, and when it may start again."""

    program: Program
    run: _Run | None = None
    deaths: deque[float] = field(default_factory=deque)
    start_at: float = 0


class Supervisor:
    """Keeps programs running until it is told to stop."""

    def __init__(
        self,
        programs: Iterable[Program],
        *,
        folder: Path,
        environment: Mapping[str, str],
        output: TextIO = sys.stdout,
        pace: Pace | None = None,
        grace: float = 15,
        on_tick: Callable[[], None] = lambda: None,
        inherited: tuple[int, ...] = (),
    ) -> None:
        """`grace`: seconds that a program has to end by itself; `on_tick` is called about ten times a second.

        `inherited`: open files that the programs keep open as long as they live.
        """
        self._seats = [_Seat(program) for program in programs]
        self._folder = folder
        self._environment = environment
        self._output = output
        self._pace = pace or Pace()
        self._grace = grace
        self._on_tick = on_tick
        self._inherited = inherited
        self._stop_requests = 0

    def run(self) -> None:
        """Run all until SIGINT, SIGTERM or SIGHUP, and return when all have ended; a second signal ends them at once."""
        stops = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
        before = {number: signal.signal(number, self._request_stop) for number in stops}
        try:
            while not self._stop_requests:
                for seat in self._seats:
                    self._attend(seat)
                self._on_tick()
                time.sleep(_TICK)
        finally:
            self._end_all()
            for number, handler in before.items():
                signal.signal(number, handler)

    def say(self, line: str, *, name: str = "console") -> None:
        """Print one line under a name."""
        # The terminal may be gone; the programs still have to be ended.
        with suppress(OSError):
            self._output.write(f"{name:<8} | {line}\n")
            self._output.flush()

    def _request_stop(self, number: int, frame: FrameType | None) -> None:
        self._stop_requests += 1

    def _attend(self, seat: _Seat) -> None:
        if seat.run is None:
            if time.monotonic() >= seat.start_at:
                seat.run = _Run(
                    seat.program,
                    folder=self._folder,
                    environment=self._environment,
                    inherited=self._inherited,
                )
            return
        self._relay(seat, seat.run.lines())
        code = seat.run.ended()
        if code is not None:
            self._relay(seat, seat.run.bury())
            seat.run = None
            self._plan_restart(seat, code)

    def _relay(self, seat: _Seat, lines: Iterable[str]) -> None:
        for line in lines:
            self.say(line, name=seat.program.name)

    def _plan_restart(self, seat: _Seat, code: int) -> None:
        now = time.monotonic()
        seat.deaths.append(now)
        while seat.deaths[0] < now - self._pace.window:
            seat.deaths.popleft()
        wait = self._pace.wait(len(seat.deaths))
        seat.start_at = now + wait
        how = f"was killed by signal {-code}" if code < 0 else f"ended with code {code}"
        when = (
            f"in {wait:g} s, after {len(seat.deaths)} ends within {self._pace.window:g} s"
            if wait
            else "now"
        )
        self.say(f"{seat.program.name} {how}; starting it again {when}.")

    def _end_all(self) -> None:
        self.say("Stopping.")
        running = [(seat, seat.run) for seat in self._seats if seat.run is not None]
        for _, run in running:
            run.ask_to_end()
        deadline = time.monotonic() + self._grace
        while (
            any(run.ended() is None for _, run in running)
            and self._stop_requests < 2
            and time.monotonic() < deadline
        ):
            for seat, run in running:
                self._relay(seat, run.lines())
            time.sleep(_TICK)
        for seat, run in running:
            self._relay(seat, run.bury())
            seat.run = None
