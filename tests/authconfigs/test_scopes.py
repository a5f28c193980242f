"""Granted against requested scopes, as sets of names."""

import pytest

from authconfigs.scopes import compare

NONE: tuple[str, ...] = ()


@pytest.mark.parametrize(
    ("granted", "requested", "missing", "extra"),
    [
        ("", "read write", NONE, NONE),
        ("write read", "read write", NONE, NONE),
        ("read,write", "read write", NONE, NONE),
        ("read, write", "write  read\n", NONE, NONE),
        ("read", "read write admin", ("admin", "write"), NONE),
        ("read write admin", "read", NONE, ("admin", "write")),
        ("read admin", "read write", ("write",), ("admin",)),
        ("READ", "read", ("read",), ("READ",)),
        (",", "read", NONE, NONE),
        # Nothing was asked for: the provider's default was meant.
        ("read write", "", NONE, NONE),
        ("https://api.example.com/auth:read", "https://api.example.com/auth:read", NONE, NONE),
    ],
)
def test_scopes_are_compared_as_sets_of_names(
    granted: str, requested: str, missing: tuple[str, ...], extra: tuple[str, ...]
) -> None:
    found = compare(granted, requested, has_refresh_token=False)
    assert (found.missing, found.extra) == (missing, extra)


def test_offline_access_is_granted_by_a_refresh_token() -> None:
    assert compare("read", "read offline_access", has_refresh_token=True).missing == ()
    alone = compare("read", "read offline_access", has_refresh_token=False)
    assert alone.missing == ("offline_access",)


def test_warnings_name_the_scopes() -> None:
    fewer, more = compare("read admin", "read write", has_refresh_token=False).warnings
    assert "write is missing" in fewer
    assert more.startswith("For review")
    assert "admin" in more
    assert compare("read", "read", has_refresh_token=False).warnings == ()


def test_warnings_count_what_is_too_much_to_name() -> None:
    many = " ".join(f"n{number:03}" for number in range(200))
    (extra, left_out) = compare(
        f"read {many}", "read", has_refresh_token=False, left_out=69_800
    ).warnings
    assert "n019 and 180 more." in extra
    assert "n020" not in extra
    assert "named 69,800 more that are left out here" in left_out
    assert (
        "named 1 more that is left out here"
        in compare("", "read", has_refresh_token=False, left_out=1).warnings[0]
    )
