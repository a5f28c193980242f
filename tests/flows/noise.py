"""Logging at its loudest: every logger that the console doesn't pin says all it can."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

# They show whole requests and answers below INFO; the console promises that they never go there.
PINNED = ("requests_oauthlib", "oauthlib", "urllib3", "django.db.backends")


class Listener(logging.Handler):
    """Keeps what every record says, before any filter of another handler has masked it."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Of a traceback the errors' own words: its other lines are source code, and take long to collect."""
        self.lines.append(f"{record.name}: {record.getMessage()}")
        error = record.exc_info[1] if record.exc_info else None
        while error is not None:
            self.lines.append(f"{type(error).__name__}: {error}")
            error = error.__cause__ or error.__context__


def turn_up() -> None:
    """Set every logger that there is to DEBUG, but for the pinned ones: those below them speak, too."""
    logging.getLogger().setLevel(logging.DEBUG)
    for name, known in logging.root.manager.loggerDict.items():
        if isinstance(known, logging.Logger) and name not in PINNED:
            known.setLevel(logging.DEBUG)


@contextmanager
def listening() -> Iterator[Listener]:
    """All loggers turned up, and what they say, unmasked."""
    listener = Listener()
    root = logging.getLogger()
    known = [
        logger for logger in root.manager.loggerDict.values() if isinstance(logger, logging.Logger)
    ]
    levels = [(logger, logger.level) for logger in (root, *known)]
    handlers = list(root.handlers)
    # Others would write and mask megabytes: the templates tell all that they look for in vain.
    root.handlers[:] = [listener]
    for logger in known:
        if not logger.propagate:
            logger.addHandler(listener)
    turn_up()
    try:
        yield listener
    finally:
        for logger, level in levels:
            logger.setLevel(level)
            if logger is not root:
                logger.removeHandler(listener)
        root.handlers[:] = handlers
