import base64
import stat
from pathlib import Path

from config.dotenv import add, create


def values(path: Path) -> dict[str, str]:
    lines = (line for line in path.read_text().splitlines() if not line.startswith("#"))
    return dict(line.split("=", 1) for line in lines)


def test_file_is_made_private_with_fresh_keys(tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    assert create(first)
    assert create(second)
    assert stat.S_IMODE(first.stat().st_mode) == 0o600
    assert values(first).keys() == {"SECRET_KEY", "FIELD_ENCRYPTION_KEYS"}
    assert not set(values(first).values()) & set(values(second).values())
    name, _, key = values(first)["FIELD_ENCRYPTION_KEYS"].partition(":")
    assert name == "k1"
    assert len(base64.urlsafe_b64decode(key)) == 32


def test_existing_file_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / ".env"
    path.write_text("SECRET_KEY=mine\n")
    assert not create(path)
    assert path.read_text() == "SECRET_KEY=mine\n"


def test_added_value_never_replaces_one(tmp_path: Path) -> None:
    path = tmp_path / ".env"
    path.write_text("NETWORKS=mine")
    assert not add(path, "NETWORKS", value="other")
    assert add(path, "OTHER", value="1")
    assert path.read_text() == "NETWORKS=mine\nOTHER=1\n"
