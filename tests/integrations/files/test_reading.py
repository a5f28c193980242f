import io
import json
import time

import pytest

from integrations.files.problems import BadFile
from integrations.files.reading import MAX_BYTES, parse, read_bytes


def refusal(content: bytes) -> str:
    with pytest.raises(BadFile) as caught:
        parse(content)
    return str(caught.value)


def test_json_is_read_as_json() -> None:
    document = parse(json.dumps({"a": ["\U0001f600", "no", 1.5, None]}).encode())

    assert document.value == {"a": ["\U0001f600", "no", 1.5, None]}


def test_json_indented_with_tabs_is_read() -> None:
    assert parse(b'{\n\t"a": [\n\t\t1\n\t]\n}').value == {"a": [1]}


def test_a_byte_order_mark_is_skipped() -> None:
    assert parse(b"\xef\xbb\xbfa: 1").value == {"a": 1}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("no", "no"),
        ("yes", "yes"),
        ("on", "on"),
        ("0123", 123),
        ("0o17", 15),
        ("0x1F", 31),
        ("1_000", "1_000"),
        ("12:30:45", "12:30:45"),
        ("2027-01-31", "2027-01-31"),
        ("'1'", "1"),
        ("!!str 1", "1"),
        ("TRUE", True),
        ("~", None),
        ("", None),
        ("-.5e1", -5.0),
        ("NaN", "NaN"),
        ("${env:A}", "${env:A}"),
    ],
)
def test_scalars_mean_what_yaml_1_2_says(text: str, value: object) -> None:
    found = parse(f"a: {text}".encode()).value["a"]

    assert found == value
    assert type(found) is type(value)


def test_an_alias_stands_for_its_anchor() -> None:
    assert parse(b"a: &x {b: 1}\nc: *x").value == {"a": {"b": 1}, "c": {"b": 1}}


def test_every_path_of_yaml_has_its_line() -> None:
    document = parse(b"tenants:\n  - slug: acme\n    staff:\n      - {username: ada}\n")

    assert document.lines["tenants[0].slug"] == 2
    assert document.lines["tenants[0].staff[0].username"] == 4


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"a: 1\nb: 2\na: 3", "line 3: The key 'a' stands twice"),
        (b'{"a": 1,\n"b": {"c": 1, "c": 2}}', "b (line 2): The key 'c' stands twice"),
        (b"a: 1\nb: \xff", "line 2: The file isn't UTF-8"),
        (b"a: [1\nb: 2", "line 2: The file is neither JSON nor YAML"),
        (b"a: 1\n---\nb: 1", "line 2: The file holds more than one document"),
        (b"a: *b", "line 1: An alias names no anchor"),
        (b"a: &b [*b]", "line 1: An alias names no anchor"),
        (b"a: !!python/name:os.system x", "line 1: Tags of this kind"),
        (b"a: !mine {}", "line 1: Tags of this kind"),
        (b"1: a", "line 1: A key must be text"),
        (b"? [a]\n: b", "line 1: A key must be text"),
        (b"a: \x07", "line 1: There is a character"),
        (b"a: .inf", "line 1: A number must be finite"),
        (b'{"a": "\\ud800"}', "a: A text holds half of a surrogate pair"),
        (b'a: "\\ud800"', "a: A text holds half of a surrogate pair"),
        (b'{"a": ["\\u0000"]}', "a[0]: A text holds a NUL"),
        (b'a: "\\0"', "a: A text holds a NUL"),
        (b'{"a": [{"\\u0000": 1}]}', "a[0]: A text holds a NUL"),
        (b'{"a": 1e999}', "a: A number is too large"),
    ],
)
def test_a_broken_file_is_refused_with_its_line(content: bytes, words: str) -> None:
    assert words in refusal(content)


@pytest.mark.parametrize("content", [b"[" * 100_000, b"a: " + b"[" * 100_000, b"- " * 5_000])
def test_depth_is_limited(content: bytes) -> None:
    assert "levels deep" in refusal(content)


def test_an_alias_bomb_is_refused_at_once() -> None:
    bomb = "a: &a [x,x,x,x,x,x,x,x,x,x]\n" + "".join(
        f"{name}: &{name} [{','.join([f'*{before}'] * 10)}]\n"
        for before, name in zip("abcdefghi", "bcdefghij", strict=True)
    )
    started = time.monotonic()

    assert "aliases" in refusal(bomb.encode())
    assert time.monotonic() - started < 1


@pytest.mark.parametrize("content", [b"a: {token: s3cr3t\n  bad", b"a: !s3cr3t!b x", b"a: *s3cr3t"])
def test_a_refusal_quotes_nothing_of_the_file(content: bytes) -> None:
    assert "s3cr3t" not in refusal(content)


def test_a_file_that_is_too_large_is_refused() -> None:
    with pytest.raises(BadFile, match="larger than 16 MiB"):
        read_bytes(io.BytesIO(b" " * (MAX_BYTES + 1)))
