"""The account of a run: what was done, whether it went well, and how long it took."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from authconfigs.errors import OutboundError
from authconfigs.state import ConfigEdited
from authconfigs.symptoms import Stage

CONTROL = "negative_control"


@dataclass
class Step:
    """One step, as it stands in the document; `name` is a stage or `negative_control`."""

    name: str
    ok: bool
    detail: str
    ms: float


class Steps(list[Step]):
    """The steps of a run, in order."""

    @contextmanager
    def taking(self, stage: Stage) -> Iterator[Step]:
        """Add a step and time the block, which writes the detail. A failure is the step's detail, and goes on."""
        step = Step(stage.value, True, "", 0.0)
        started = time.perf_counter()
        try:
            yield step
        except ConfigEdited:
            raise
        except OutboundError as error:
            step.name, step.ok, step.detail = error.stage.value, False, error.summary
            raise
        finally:
            step.ms = milliseconds_since(started)
            self.append(step)


def milliseconds_since(started: float) -> float:
    return round((time.perf_counter() - started) * 1000, 1)
