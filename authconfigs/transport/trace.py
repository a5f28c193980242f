from dataclasses import dataclass

from authconfigs.symptoms import Stage


@dataclass(frozen=True)
class Step:
    """One thing that the transport did, for a person to read; `detail` holds no secret."""

    name: Stage
    ok: bool
    detail: str
    ms: float


class Trace(list[Step]):
    """What opening a connection took: name look-up, connect, TLS. A reused connection adds nothing."""
