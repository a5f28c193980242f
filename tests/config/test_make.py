import json
import re
import shutil
import subprocess
from pathlib import Path

from tests.config.checkout import ROOT, checkout


def make(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    shutil.copy(ROOT / "Makefile", folder)
    for lock in ROOT.glob("requirements*.lock"):
        shutil.copy(lock, folder)
    return subprocess.run(
        ["make", *arguments], cwd=folder, capture_output=True, text=True, timeout=60
    )


def test_help_lists_the_targets(tmp_path: Path) -> None:
    shown = make(tmp_path, "help").stdout
    for target in ("install", "demo", "test", "faults", "reset"):
        assert re.search(rf"^  make {target} +\w", shown, re.MULTILINE)


def test_python_that_does_not_run_is_refused_and_nothing_made(tmp_path: Path) -> None:
    folder = checkout(tmp_path)
    done = make(folder, "install", "PYTHON=false")
    assert done.returncode == 2
    assert "needs Python 3.11 or newer" in done.stderr
    assert not (folder / ".venv").exists()
    assert not (folder / ".env").exists()


def test_locks_pin_every_package_by_hash_and_name_no_address() -> None:
    for lock in ROOT.glob("requirements*.lock"):
        text = lock.read_text()
        requirements = re.split(r"\n(?=\S)", text.strip())
        assert all("==" in one and "--hash=sha256:" in one for one in requirements)
        assert not re.search(
            r"://|^ *-|index-url|find-links", re.sub(r"^ +--hash=\S+", "", text, flags=re.MULTILINE)
        )


def test_locks_hold_what_the_requirements_name() -> None:
    for name in ("requirements", "requirements-dev"):
        named = re.findall(
            r"^([\w.-]+)(?:\[.*\])?==(\S+)", (ROOT / f"{name}.txt").read_text(), re.MULTILINE
        )
        locked = (ROOT / f"{name}.lock").read_text()
        assert named
        for package, version in named:
            assert f"{package.lower().replace('.', '-')}=={version} " in locked


def test_lock_of_the_browser_tests_pins_what_is_named_by_hash_and_names_no_address() -> None:
    folder = ROOT / "tests" / "browser"
    text = (folder / "package-lock.json").read_text()
    locked = json.loads(text)["packages"]
    named = json.loads((folder / "package.json").read_text())["devDependencies"]
    assert named
    for package, version in named.items():
        assert locked.pop(f"node_modules/{package}")["version"] == version
    assert locked.keys() == {""}
    assert "://" not in text
    assert text.count('"integrity": "sha512-') == len(named)
