from pathlib import Path

import pytest

from tests.config.checkout import checkout, run


def used(tmp_path: Path) -> Path:
    """A console that has run on the embedded database."""
    folder = checkout(tmp_path)
    (folder / "var" / "broker").mkdir(parents=True)
    (folder / "var" / "broker" / "message").touch()
    (folder / "var" / "other").touch()
    for suffix in ("", "-wal", "-shm"):
        (folder / "var" / f"console.sqlite3{suffix}").touch()
    (folder / ".env").write_text("MINE=1\n")
    return folder


def left(folder: Path) -> set[str]:
    return {path.name for path in (folder / "var").iterdir()} - {"demo.lock"}


def test_embedded_database_and_broker_are_deleted_and_nothing_else(tmp_path: Path) -> None:
    folder = used(tmp_path)
    done = run(folder, "-m", "config.reset", DATABASE_URL="", BROKER_URL="")
    assert done.returncode == 0, done.stderr
    assert left(folder) == {"other"}
    assert (folder / ".env").read_text() == "MINE=1\n"


@pytest.mark.parametrize(
    "address", ["postgres://console:pw@127.0.0.1:1/console", "sqlite:////elsewhere/data.sqlite3"]
)
def test_database_elsewhere_is_refused_and_nothing_deleted(tmp_path: Path, address: str) -> None:
    folder = used(tmp_path)
    before = left(folder)
    done = run(folder, "-m", "config.reset", DATABASE_URL=address, BROKER_URL="")
    assert done.returncode == 2
    assert "DATABASE_URL" in done.stderr
    assert address not in done.stderr
    assert left(folder) == before
