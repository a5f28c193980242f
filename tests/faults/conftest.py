import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.faults import FULL
from tests.faults.consoles import Console, database_of_this_process, environment_of
from tests.faults.own_servers import Server, missing, own_postgres, own_redis


@pytest.fixture(scope="session")
def folder() -> Iterator[Path]:
    """Not pytest's own, which no other user may enter: PostgreSQL never runs as root."""
    with tempfile.TemporaryDirectory(prefix="console-faults-") as name:
        Path(name).chmod(0o755)
        yield Path(name)


@pytest.fixture(scope="session")
def servers(folder: Path) -> Iterator[tuple[Server, Server]]:
    """PostgreSQL and Redis."""
    if absent := missing():
        pytest.skip(f"{absent} isn't installed")
    with ExitStack() as stack:
        (folder / "postgres").mkdir()
        (folder / "redis").mkdir()
        postgres = stack.enter_context(own_postgres(folder / "postgres"))
        yield postgres, stack.enter_context(own_redis(folder / "redis"))


@pytest.fixture(scope="session")
def empty_database(folder: Path, django_db_blocker: Any) -> Callable[[str, Server | None], str]:
    """The address of a new database with all tables and no rows: a copy of one that is made once."""
    made: set[str] = set()

    def migrate(url: str) -> None:
        with django_db_blocker.unblock(), database_of_this_process(url):
            pass

    def on_files(name: str) -> str:
        template = folder / "template.sqlite3"
        if "sqlite" not in made:
            migrate(f"sqlite:///{template}")
            made.add("sqlite")
        shutil.copy(template, folder / f"{name}.sqlite3")
        return f"sqlite:///{folder}/{name}.sqlite3"

    def on_a_server(name: str, server: Server) -> str:
        base = f"postgres://postgres@127.0.0.1:{server.port}"
        with psycopg.connect(f"{base}/postgres", autocommit=True) as admin:
            if "postgres" not in made:
                admin.execute("CREATE DATABASE pattern")
                migrate(f"{base}/pattern")
                made.add("postgres")
            admin.execute(f'CREATE DATABASE "{name}" TEMPLATE pattern'.encode())
        return f"{base}/{name}"

    return lambda name, server: on_a_server(name, server) if server else on_files(name)


@pytest.fixture
def console_on(
    folder: Path, empty_database: Callable[..., str], django_db_blocker: Any, request: Any
) -> Iterator[Callable[..., Console]]:
    """Makes the console of a test, on files or on servers, with settings of its own."""
    with ExitStack() as stack:

        def make(kind: str, **settings: Any) -> Console:
            name = f"c{len(list(folder.iterdir()))}"
            own = folder / name
            own.mkdir()
            postgres, redis = (
                request.getfixturevalue("servers") if kind == "servers" else (None, None)
            )
            database = empty_database(name, postgres)
            broker = f"filesystem://{own}/broker"
            if redis:
                broker = f"redis://127.0.0.1:{redis.port}/{len(list(folder.iterdir())) % 16}"
            environment = environment_of(own, database=database, broker=broker, **settings)
            console = Console(own, environment, redis, postgres)
            stack.enter_context(django_db_blocker.unblock())
            stack.enter_context(database_of_this_process(database))
            # pytest shows this of a test that fails.
            stack.callback(lambda: print(console.last_words()))
            stack.callback(console.end)
            return console

        yield make


@pytest.fixture
def console(console_on: Callable[..., Console], kind: str) -> Console:
    """A console with the usual settings."""
    return console_on(kind)


@pytest.fixture
def tell(capsys: pytest.CaptureFixture[str]) -> Callable[[str], None]:
    """Prints a line of figures, also while pytest captures, when all is run in full."""

    def say(line: str) -> None:
        if FULL:
            with capsys.disabled():
                print(f"\n{line}")

    return say


@pytest.fixture(params=["files", "servers"])
def kind(request: pytest.FixtureRequest) -> str:
    """SQLite and the filesystem broker, or PostgreSQL and Redis."""
    return str(request.param)
