from pathlib import Path

import pytest

from integrations.files.placeholders import Unreadable, is_placeholder, resolve


def test_a_variable_is_read(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("BILLING_KEY", "pä:ss")

    assert resolve("${env:BILLING_KEY}", folder=tmp_path) == "pä:ss"


@pytest.mark.parametrize(
    "literal",
    ["$HOME", "${HOME}", "x${env:A}", "${env:A} ", "${env:A}\n", "${env:}", "${env:A}${env:B}", ""],
)
def test_anything_else_is_literal(literal: str, tmp_path: Path) -> None:
    assert not is_placeholder(literal)
    assert resolve(literal, folder=tmp_path) == literal


@pytest.mark.parametrize(
    ("content", "value"),
    [
        (b"secret\n", "secret"),
        (b"secret\n\n", "secret\n"),
        (b"secret\r\n", "secret"),
        (b"secret\r", "secret\r"),
        (b" secret ", " secret "),
        (b"", ""),
    ],
)
def test_a_file_loses_one_trailing_newline(content: bytes, value: str, tmp_path: Path) -> None:
    (tmp_path / "key").write_bytes(content)

    assert resolve("${file:key}", folder=tmp_path) == value


def test_a_path_may_be_absolute(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("secret")

    assert resolve(f"${{file:{tmp_path}/key}}", folder=Path("/nowhere")) == "secret"


@pytest.mark.parametrize(
    ("placeholder", "words"),
    [
        ("${env:NOT_SET_ANYWHERE}", "NOT_SET_ANYWHERE isn't set"),
        ("${file:missing}", "missing can't be read: No such file"),
        ("${file:.}", "can't be read: Is a directory"),
        ("${file:a\0b}", "can't be read"),
        ("${file:latin}", "isn't UTF-8"),
        ("${file:nul}", "NUL"),
        ("${file:/dev/zero}", "larger than"),
    ],
)
def test_what_cannot_be_read_is_said(placeholder: str, words: str, tmp_path: Path) -> None:
    (tmp_path / "latin").write_bytes(b"\xe4")
    (tmp_path / "nul").write_bytes(b"a\0b")

    with pytest.raises(Unreadable, match=words):
        resolve(placeholder, folder=tmp_path)
