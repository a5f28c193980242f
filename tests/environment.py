"""A pytest plugin, loaded before settings are: tests see the same settings on every machine.

Only DATABASE_URL and BROKER_URL are taken from the caller; the developer's `.env` never counts.
"""

import base64
import os
import tempfile

FOLDER = tempfile.TemporaryDirectory(prefix="console-tests-")
MASTER_KEY = base64.urlsafe_b64encode(bytes(range(100, 132))).decode()

os.environ.update(
    SECRET_KEY="only-for-tests-" + "x" * 50,
    FIELD_ENCRYPTION_KEYS=f"k1:{MASTER_KEY}",
    DATABASE_URL=os.environ.get("DATABASE_URL") or f"sqlite:///{FOLDER.name}/console.sqlite3",
    BROKER_URL=os.environ.get("BROKER_URL") or f"filesystem://{FOLDER.name}/broker",
    DEBUG="",
    ALLOWED_HOSTS="",
    PUBLIC_BASE_URL="",
    LOG_LEVEL="",
    EMAIL_URL="",
    DEFAULT_FROM_EMAIL="",
    OAUTH_PASSWORD_GRANT="",
    OUTBOUND_ALLOW_NETWORKS="127.0.0.0/8,::1/128",
    OUTBOUND_CA_BUNDLE="",
    OUTBOUND_PROXY="",
    OUTBOUND_TIMEOUT="",
    OUTBOUND_MAX_BYTES="",
    TEST_RATE_PER_MINUTE="",
    LEASE_SPARE_SECONDS="",
    BEAT_SECONDS="",
    REFRESH_CONCURRENCY="",
    REFRESH_PER_HOST="",
    # The browser plugin runs an event loop in the thread of the tests.
    DJANGO_ALLOW_ASYNC_UNSAFE="true",
)
