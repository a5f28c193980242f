"""An authorization server that leads on to another host, as those do that leave the login to somebody else."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@contextmanager
def leading_on_to(base_url: str) -> Iterator[str]:
    """Its address; every path is redirected to the same path there."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(302)
            self.send_header("Location", base_url + self.path)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """Nothing: the path holds a state."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
