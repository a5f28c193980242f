from pathlib import Path

import pytest
from django.conf import settings

from tests import environment


def pytest_configure(config: pytest.Config) -> None:
    # Slow hashes are for attackers.
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    database = settings.DATABASES["default"]
    if "sqlite" in database["ENGINE"]:
        # A file, as in production: an in-memory database is shared between threads by other rules.
        database["TEST"] = {"NAME": str(Path(environment.FOLDER.name) / "test.sqlite3")}
