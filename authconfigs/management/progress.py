"""A progress bar for commands that take long."""

from django.core.management.base import OutputWrapper

_WIDTH = 30


class ProgressBar:
    """Drawn on stderr: in place on a terminal, else one line per tenth, so that logs stay short."""

    def __init__(self, stream: OutputWrapper, label: str, *, total: int) -> None:
        self._stream, self._label, self._total = stream, label, total
        self._in_place = stream.isatty()
        self._done = 0
        self._drawn = -1

    def advance(self, steps: int) -> None:
        """Tell that many more are done; a total that grew meanwhile does no harm."""
        self._done += steps
        self._total = max(self._total, self._done)
        step = 10 * self._done // self._total if not self._in_place else self._done
        if step != self._drawn:
            self._drawn = step
            self._draw()

    def end(self) -> None:
        """Leave the line, so that what follows begins on its own."""
        if self._in_place and self._done:
            self._write("\n")

    def _draw(self) -> None:
        filled = _WIDTH * self._done // self._total
        bar = "█" * filled + "░" * (_WIDTH - filled)
        line = f"{self._label} {bar} {self._done}/{self._total}"
        self._write(f"\r{line}" if self._in_place else f"{line}\n")

    def _write(self, text: str) -> None:
        self._stream.write(text, style_func=str, ending="")
        self._stream.flush()
