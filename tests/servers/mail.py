"""A small SMTP server (RFC 5321) that keeps what it is told, and refuses the commands it is told to."""

import socketserver
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field


@dataclass
class MailServer:
    """`refuses` are verbs answered with 451; `on_mail` runs while a mail is being taken."""

    port: int = 0
    refuses: set[str] = field(default_factory=set)
    taken: list[str] = field(default_factory=list)
    on_mail: Callable[[], None] | None = None


class _Conversation(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        mail_server: MailServer = self.server.mail_server  # type: ignore[attr-defined]
        self._say("220 mail.example ready")
        for line in self.rfile:
            verb = line.strip().upper()[:4].decode("latin-1")
            if verb in mail_server.refuses:
                self._say("451 not now")
            elif verb == "QUIT":
                self._say("221 bye")
                return
            elif verb == "DATA":
                self._say("354 go on")
                self._take(mail_server)
                self._say("250 taken")
            else:
                self._say("250 ok")

    def _take(self, mail_server: MailServer) -> None:
        lines = []
        for line in self.rfile:
            if line == b".\r\n":
                break
            lines.append(line.decode())
        if mail_server.on_mail is not None:
            mail_server.on_mail()
        mail_server.taken.append("".join(lines))

    def _say(self, line: str) -> None:
        self.wfile.write(f"{line}\r\n".encode())


@contextmanager
def mail_server() -> Iterator[MailServer]:
    """The server, on a free port of the loopback."""
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), _Conversation) as server:
        server.daemon_threads = True
        known = MailServer(port=server.server_address[1])
        server.mail_server = known  # type: ignore[attr-defined]
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield known
        finally:
            server.shutdown()
            thread.join()
