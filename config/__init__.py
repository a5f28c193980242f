"""How the console is put together and started; nothing imports from here."""

from config.celery import app as celery_app

__all__ = ["celery_app"]
