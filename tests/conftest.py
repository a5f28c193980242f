from pathlib import Path

import pytest
from django.conf import settings

from tests import environment


def pytest_configure(config: pytest.Config) -> None:
    # Slow hashes are for attackers.
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    # A thread of its own would write into the database of whichever test runs then.
    settings.USAGE_FLUSH_SECONDS = None
    database = settings.DATABASES["default"]
    if "sqlite" in database["ENGINE"]:
        # A file, as in production: an in-memory database is shared between threads by other rules.
        database.setdefault("TEST", {})["NAME"] = str(
            Path(environment.FOLDER.name) / "test.sqlite3"
        )
