"""The queue of a fresh machine: Celery's files in a folder. Workers and senders treat a missing folder as a lost connection."""

from pathlib import Path
from typing import Any, cast

from kombu.transport import filesystem

from config.environment import make_private


class Transport(filesystem.Transport):
    """kombu's own ends the worker when its folder is away for a moment."""

    connection_errors = (*filesystem.Transport.connection_errors, OSError)  # type: ignore[assignment]

    def establish_connection(self) -> Any:
        """Make the folder if it is missing. Raises OSError where that can't be done."""
        make_private(Path(cast("Any", self.client).transport_options["data_folder_in"]))
        return super().establish_connection()  # type: ignore[no-untyped-call]
