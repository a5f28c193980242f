import pytest

from authconfigs.errors import ConfigInvalid, PolicyRefused
from authconfigs.transport.target import split_url


@pytest.mark.parametrize(
    ("url", "host", "port", "path"),
    [
        ("https://api.example.com", "api.example.com", 443, "/"),
        ("HTTPS://API.Example.com:8443/v1", "api.example.com", 8443, "/v1"),
        ("http://api.example.com?a=1", "api.example.com", 80, "/?a=1"),
        (
            "https://api.example.com/%7euser/%2F?q=%c3%bc&[x]=a|b#part",
            "api.example.com",
            443,
            "/%7euser/%2F?q=%c3%bc&[x]=a|b",
        ),
        ("https://[2606:4700::1111]:444/", "2606:4700::1111", 444, "/"),
        ("https://bücher.example/", "xn--bcher-kva.example", 443, "/"),
        ("https://my_host.example.:443/", "my_host.example.", 443, "/"),
        ("https://２１３0706433/", "2130706433", 443, "/"),
    ],
)
def test_a_url_is_taken_apart(url: str, host: str, port: int, path: str) -> None:
    target = split_url(url)
    assert (target.host, target.port, target.path) == (host, port, path)


@pytest.mark.parametrize(
    ("url", "authority"),
    [
        ("https://api.example.com:443/", "api.example.com"),
        ("https://api.example.com:80/", "api.example.com:80"),
        ("https://api.example.com./", "api.example.com"),
        ("http://[::1]:8000/", "[::1]:8000"),
    ],
)
def test_the_host_header_leaves_the_default_port_out(url: str, authority: str) -> None:
    assert split_url(url).authority == authority


@pytest.mark.parametrize(
    "url",
    [
        "ftp://example.com/",
        "file:///etc/passwd",
        "gopher://example.com/",
        "https://user@example.com/",
        "https://user:word@example.com/",
        "https://allowed.example.com@127.0.0.1/",
    ],
)
def test_schemes_and_user_names_are_refused(url: str) -> None:
    with pytest.raises(PolicyRefused):
        split_url(url)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "/path",
        "//example.com/",
        "https://",
        "https:///path",
        "https:example.com",
        " https://example.com/",
        "https://example.com/a b",
        "https://example.com/a\r\nX: y",
        "https://example.com/ü",
        "https://exa\tmple.com/",
        "https://example.com\\.evil.example/",
        "https://exam%70le.com/",
        "https://example..com/",
        "https://a\x00b.example/",
        "https://example.com:0/",
        "https://example.com:65536/",
        "https://example.com:8a/",
        "https://[::1/",
        "https://[fe80::1%25eth0]/",
        "https://[::ffff:300.1.1.1]/",
        "https://::1/",
    ],
)
def test_what_is_no_url_is_refused_without_quoting_it(url: str) -> None:
    with pytest.raises(ConfigInvalid) as caught:
        split_url(url)
    assert not url.strip("/ ") or url not in str(caught.value)


def test_the_repr_of_a_target_has_no_path_or_query() -> None:
    assert "s3cret" not in repr(split_url("https://api.example.com/s3cret?key=s3cret"))
