from django.db import models


class Heartbeat(models.Model):
    """When a background process last gave a sign of life, by the database's clock."""

    class Part(models.TextChoices):
        BEAT = "beat", "Celery beat"
        WORKER = "worker", "Celery worker"

    part = models.CharField(max_length=20, choices=Part.choices, primary_key=True)
    at = models.DateTimeField()
    host = models.CharField(max_length=200, blank=True)

    def __str__(self) -> str:
        return f"{self.get_part_display()} at {self.at:%Y-%m-%d %H:%M:%S}"
