"""A token endpoint for thousands at once: `python -m tests.servers.tokens 0.1` answers every refresh after 0.1 s.

Client n begins with the refresh token `n.1`; each is good once, and the next one comes with the answer. POST /slow never
answers. GET /figures tells what has happened. Prints its port.
"""

import asyncio
import json
import sys
from collections import Counter
from urllib.parse import parse_qs


class Figures:
    """What has happened: per client the number of its current refresh token, and the clients in the order they came."""

    def __init__(self) -> None:
        self.current: Counter[int] = Counter()
        self.order: list[int] = []
        self.reused = 0
        self.waiting = 0
        self.most_waiting = 0

    def told(self) -> dict[str, object]:
        return {
            "order": self.order,
            "reused": self.reused,
            "renewed": len(self.current),
            "most_waiting": self.most_waiting,
        }


class Connection(asyncio.Protocol):
    def __init__(self, figures: Figures, delay: float) -> None:
        self._figures, self._delay, self._received = figures, delay, b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, blank, body = self._received.partition(b"\r\n\r\n")
        length = 0
        for line in head.split(b"\r\n"):
            if line.lower().startswith(b"content-length:"):
                length = int(line[15:])
        if not blank or len(body) < length:
            return
        self._received = b""
        if head.startswith(b"GET /figures"):
            self._answer(200, self._figures.told())
        elif not head.startswith(b"POST /slow"):
            self._refresh(parse_qs(body.decode()))

    def _refresh(self, form: dict[str, list[str]]) -> None:
        figures = self._figures
        client, _, number = form["refresh_token"][0].partition(".")
        figures.order.append(int(client))
        figures.current[int(client)] += 1
        figures.waiting += 1
        figures.most_waiting = max(figures.most_waiting, figures.waiting)
        fresh = int(number) == figures.current[int(client)]
        figures.reused += not fresh
        answer = {
            "access_token": f"access-{client}-{number}",
            "refresh_token": f"{client}.{int(number) + 1}",
            "token_type": "Bearer",
            "expires_in": 86400,
        }
        status = 200 if fresh else 400
        asyncio.get_running_loop().call_later(self._delay, self._granted, status, answer)

    def _granted(self, status: int, answer: dict[str, object]) -> None:
        self._figures.waiting -= 1
        self._answer(status, answer if status == 200 else {"error": "invalid_grant"})

    def _answer(self, status: int, answer: object) -> None:
        body = json.dumps(answer).encode()
        head = f"HTTP/1.1 {status} X\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        self._transport.write(head.encode() + body)


async def serve(delay: float) -> None:
    figures = Figures()
    server = await asyncio.get_running_loop().create_server(
        lambda: Connection(figures, delay), "127.0.0.1", 0, backlog=1024
    )
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(float(sys.argv[1])))
