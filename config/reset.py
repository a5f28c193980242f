"""What `make reset` runs: deletes the embedded database and the embedded broker's folder, nothing else."""

import os
import shutil
import sys
from pathlib import Path

from django.conf import settings

from config.demo import only_one


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    database = settings.DATABASES["default"]
    embedded = settings.VAR_DIR / "console.sqlite3"
    if "sqlite" not in database["ENGINE"] or Path(database["NAME"]).resolve() != embedded:
        sys.stderr.write(
            "DATABASE_URL points to a database of yours, so nothing was deleted."
            " Without it, `make reset` deletes the embedded one.\n"
        )
        raise SystemExit(2)
    if not settings.VAR_DIR.is_dir():
        return
    with only_one(settings.VAR_DIR / "demo.lock"):
        for suffix in ("", "-wal", "-shm", "-journal"):
            Path(f"{embedded}{suffix}").unlink(missing_ok=True)
        shutil.rmtree(settings.VAR_DIR / "broker", ignore_errors=True)
    sys.stdout.write("Deleted the embedded database and broker folder; .env is as it was.\n")


if __name__ == "__main__":
    main()
