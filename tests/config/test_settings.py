import os
import subprocess
from pathlib import Path

import pytest

from config.environment import Environment
from tests.config.checkout import ROOT, run


def setting(expression: str, **variables: str) -> str:
    done = run(ROOT, "-c", f"from config import settings; print({expression})", **variables)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def assert_one_line_without_value(
    done: subprocess.CompletedProcess[str], name: str, value: str
) -> None:
    assert done.returncode == 2
    assert done.stdout == ""
    lines = done.stderr.splitlines()
    assert len(lines) == 1, done.stderr
    assert name in lines[0]
    assert not value or value not in done.stderr


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SECRET_KEY", ""),
        ("FIELD_ENCRYPTION_KEYS", ""),
        ("FIELD_ENCRYPTION_KEYS", "k1:bm90LTMyLWJ5dGVz"),
        ("DEBUG", "perhaps"),
        ("PUBLIC_BASE_URL", "ftp://console.example.com"),
        ("PUBLIC_BASE_URL", "https://console.example.com/console"),
        ("PUBLIC_BASE_URL", "https://someone:pw@console.example.com"),
        ("DATABASE_URL", "mysql://console:s3cr3t@db/console"),
        ("DATABASE_URL", "postgres://console:s3cr3t@db:port/console"),
        ("BROKER_URL", "kafka://console:s3cr3t@broker"),
        ("EMAIL_URL", "carrier-pigeon://roof"),
        ("EMAIL_URL", "smtp://console:s3cr3t@mail:port"),
        ("LOG_LEVEL", "LOUD"),
        ("OAUTH_PASSWORD_GRANT", "perhaps"),
        ("OUTBOUND_ALLOW_NETWORKS", "10.0.0.0/33"),
        ("OUTBOUND_ALLOW_NETWORKS", "10.0.0.7/8"),
        ("OUTBOUND_CA_BUNDLE", "/nowhere/roots.pem"),
        ("OUTBOUND_PROXY", "squid.internal:3128"),
        ("OUTBOUND_TIMEOUT", "soon"),
        ("OUTBOUND_TIMEOUT", "nan"),
        ("OUTBOUND_MAX_BYTES", "10MB"),
        ("TEST_RATE_PER_MINUTE", "-5"),
        ("LEASE_SPARE_SECONDS", "-7"),
        ("BEAT_SECONDS", "every minute"),
        ("REFRESH_CONCURRENCY", "many"),
        ("REFRESH_PER_HOST", "-7"),
    ],
)
def test_bad_value_ends_with_one_line_that_names_the_variable(name: str, value: str) -> None:
    done = run(ROOT, "-c", "import config.settings", **{name: value})
    assert_one_line_without_value(done, name, value)


@pytest.mark.parametrize(
    "command",
    [
        ("manage.py", "help"),
        ("manage.py", "migrate"),
        ("manage.py", "runserver", "127.0.0.1:0"),
        ("-m", "gunicorn", "config.wsgi", "--bind", "127.0.0.1:0"),
        ("-m", "celery", "-A", "config", "worker"),
        ("-m", "celery", "-A", "config", "beat"),
        ("-m", "config.demo"),
        ("-m", "config.reset"),
    ],
    ids=lambda command: " ".join(command[:3]),
)
def test_bad_keys_end_every_command_and_server(command: tuple[str, ...]) -> None:
    keys = "k1:c2hvcnQ="
    done = run(ROOT, *command, FIELD_ENCRYPTION_KEYS=keys)
    assert_one_line_without_value(done, "FIELD_ENCRYPTION_KEYS", keys)


def test_defaults_are_those_of_the_documentation() -> None:
    names = (
        "DEBUG, PUBLIC_BASE_URL, OAUTH_PASSWORD_GRANT, OUTBOUND_ALLOW_NETWORKS, OUTBOUND_CA_BUNDLE,"
        " OUTBOUND_PROXY, OUTBOUND_TIMEOUT, OUTBOUND_MAX_BYTES, TEST_RATE_PER_MINUTE"
    )
    shown = setting(
        ", ".join(f"settings.{name.strip()}" for name in names.split(",")),
        OUTBOUND_ALLOW_NETWORKS="",
    )
    assert shown == "False http://127.0.0.1:8000 True () None None 20.0 10485760 60"


def test_embedded_database_and_broker_are_the_default() -> None:
    shown = setting(
        "settings.DATABASES['default']['NAME'],"
        " settings.CELERY_BROKER_TRANSPORT_OPTIONS['data_folder_in'],"
        " oct(settings.BROKER_DIR.stat().st_mode & 0o777)",
        DATABASE_URL="",
        BROKER_URL="",
    )
    assert shown == f"{ROOT}/var/console.sqlite3 {ROOT}/var/broker 0o700"


def test_host_of_public_base_url_is_always_allowed() -> None:
    shown = setting(
        "settings.ALLOWED_HOSTS, settings.CSRF_TRUSTED_ORIGINS",
        ALLOWED_HOSTS="internal.example, other.example",
        PUBLIC_BASE_URL="https://console.example.com:8443/",
    )
    assert shown == (
        "['internal.example', 'other.example', 'console.example.com']"
        " ['https://console.example.com:8443']"
    )


@pytest.mark.parametrize(
    ("address", "secure"),
    [("http://127.0.0.1:8000", False), ("https://console.example.com", True)],
)
def test_cookies_hsts_and_redirect_follow_the_scheme_and_not_debug(
    address: str, secure: bool
) -> None:
    shown = setting(
        "settings.SESSION_COOKIE_SECURE, settings.CSRF_COOKIE_SECURE, settings.SECURE_SSL_REDIRECT,"
        " settings.SECURE_HSTS_SECONDS > 0",
        PUBLIC_BASE_URL=address,
        DEBUG="off" if not secure else "on",
    )
    assert shown == " ".join([str(secure)] * 4)


def test_loggers_that_show_whole_requests_never_go_below_info() -> None:
    pinned = ("requests_oauthlib", "oauthlib", "urllib3", "django.db.backends")
    program = (
        "import django, logging; django.setup();"
        f"print([logging.getLogger(name).getEffectiveLevel() for name in ('', *{pinned})])"
    )
    for level, expected in (("DEBUG", [10, 20, 20, 20, 20]), ("ERROR", [40] * 5)):
        done = run(ROOT, "-c", program, LOG_LEVEL=level)
        assert done.stdout.strip() == str(expected)


def test_deployment_check_is_clean_behind_https() -> None:
    done = run(
        ROOT,
        "manage.py",
        "check",
        "--deploy",
        "--fail-level",
        "WARNING",
        PUBLIC_BASE_URL="https://console.example.com",
        DJANGO_ALLOW_ASYNC_UNSAFE="",
    )
    assert done.returncode == 0, done.stderr


def test_real_variable_wins_over_file_even_when_blank(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / ".env"
    file.write_text("# a comment\n\nONE=file\nTWO='file'\nTHREE=file=with=equals\n")
    monkeypatch.setenv("ONE", "real")
    monkeypatch.setenv("TWO", "")
    env = Environment.load(file)
    assert env.read("ONE", str) == "real"
    assert env.read("TWO", str, default="default") == "default"
    assert env.read("THREE", str) == "file=with=equals"


def test_secrets_of_the_file_are_not_handed_on_to_child_processes(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("ONLY_IN_FILE=value\n")
    Environment.load(tmp_path / ".env")
    assert "ONLY_IN_FILE" not in os.environ


def test_unreadable_line_of_the_file_is_named_by_number(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / ".env").write_text("ONE=1\nSECRET_KEY = planted-secret\n")
    with pytest.raises(SystemExit, match="2"):
        Environment.load(tmp_path / ".env")
    error = capfd.readouterr().err
    assert "line 2" in error
    assert "planted-secret" not in error


def test_dollar_sign_begins_a_value_like_any_other(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("ONLY_IN_FILE=$HOME\n")
    assert Environment.load(tmp_path / ".env").read("ONLY_IN_FILE", str) == "$HOME"
