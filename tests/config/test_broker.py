import json
import shutil
from pathlib import Path
from threading import Event, Thread
from time import monotonic
from uuid import uuid4

import pytest
from kombu.connection import Connection
from kombu.entity import Exchange, Queue
from kombu.exceptions import OperationalError


def queue_in(folder: Path) -> Connection:
    folders = ("data_folder_in", "data_folder_out", "control_folder")
    return Connection(  # type: ignore[no-untyped-call]
        "filesystem://localhost//",
        transport="config.broker:Transport",
        transport_options=dict.fromkeys(folders, str(folder)),
    )


def test_missing_folder_is_made_again(tmp_path: Path) -> None:
    with queue_in(tmp_path / "broker") as broker:
        broker.ensure_connection(timeout=2)

    assert (tmp_path / "broker").stat().st_mode & 0o777 == 0o700


def test_folder_that_cant_be_made_is_a_lost_connection(tmp_path: Path) -> None:
    (tmp_path / "broker").touch()

    with queue_in(tmp_path / "broker") as broker, pytest.raises(OperationalError):
        broker.ensure_connection(timeout=1)
    assert issubclass(NotADirectoryError, queue_in(tmp_path).connection_errors)


def test_message_arrives_where_the_folder_was_away(tmp_path: Path) -> None:
    folder, name = tmp_path / "broker", uuid4().hex
    exchange = Exchange(name)  # type: ignore[no-untyped-call]
    queue = Queue(name, exchange, routing_key=name)  # type: ignore[no-untyped-call]

    with queue_in(folder) as broker, broker.Producer() as producer:
        for _ in range(2):
            producer.publish("x", name, exchange=exchange, declare=[queue], retry=True)
            assert len(list(folder.glob("*.msg"))) == 1
            shutil.rmtree(folder)


def test_message_is_written_whole_before_anybody_sees_it(tmp_path: Path) -> None:
    enough = Event()

    def write() -> None:
        with queue_in(tmp_path) as broker, broker.SimpleQueue(uuid4().hex) as queue:
            while not enough.is_set():
                queue.put("x" * 2_000_000)

    writer, seen, end = Thread(target=write), 0, monotonic() + 30
    writer.start()
    try:
        while seen < 20 and monotonic() < end:
            for message in tmp_path.glob("*.msg"):
                assert json.loads(message.read_text())
                message.unlink()
                seen += 1
    finally:
        enough.set()
        writer.join()
    assert seen >= 20


def test_table_of_an_exchange_is_read_only_when_it_is_written(tmp_path: Path) -> None:
    names = [uuid4().hex for _ in range(300)]

    def bind() -> None:
        with queue_in(tmp_path) as broker, broker.channel() as channel:
            for name in names:
                channel._queue_bind(name, "key", None, "queue")

    maker = Thread(target=bind)
    with queue_in(tmp_path) as broker, broker.channel() as channel:
        maker.start()
        try:
            for name in names:
                end = monotonic() + 30
                while not channel.get_table(name):
                    assert monotonic() < end
        finally:
            maker.join()
