"""The queue of a fresh machine: Celery's files in a folder. Workers and senders treat a missing folder as a lost connection."""

from pathlib import Path
from typing import Any

from kombu.transport import filesystem

from config.environment import make_private


class Transport(filesystem.Transport):  # type: ignore[misc]
    """kombu's own ends the worker when its folder is away for a moment."""

    connection_errors = (*filesystem.Transport.connection_errors, OSError)

    def establish_connection(self) -> Any:
        """Make the folder if it is missing. Raises OSError where that can't be done."""
        options = self.client.transport_options
        make_private(Path(options["data_folder_in"]))
        return super().establish_connection()
