"""What another process of a test needs to know."""

from urllib.parse import quote

from django.db import connection


def database_url() -> str:
    """The database of the tests, as DATABASE_URL of another process."""
    settings = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{settings['NAME']}"
    user, password = quote(settings["USER"], safe=""), quote(settings["PASSWORD"], safe="")
    place = f"{settings['HOST']}:{settings['PORT'] or 5432}"
    return f"postgres://{user}:{password}@{place}/{settings['NAME']}"
