"""A copy of the console's code, so that a test endangers no developer's `.env`, database or running console."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent


def checkout(folder: Path) -> Path:
    """Copy the code into an empty folder."""
    for name in ("config", "authconfigs", "integrations", "templates", "tenants"):
        shutil.copytree(ROOT / name, folder / name)
    for name in ("manage.py", "gunicorn.conf.py"):
        shutil.copy(ROOT / name, folder / name)
    return folder


def run(folder: Path, *command: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run Python there, with the settings of the tests and these over them."""
    return subprocess.run(
        [sys.executable, *command],
        cwd=folder,
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        timeout=60,
    )
