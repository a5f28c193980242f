import re
import sys
from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from authconfigs.state import UnknownName
from integrations.by_hand import call_by_hand
from integrations.calls import Call, CallResult
from integrations.diagnosis import Explanation
from integrations.targets import Name, load_target
from tenants.commands import ConsoleCommand, Failed

TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")


class Command(ConsoleCommand):
    help = (
        "Call an API through a connection. The answer's body goes to stdout; exit 0 for 2xx only. METHOD is GET when left"
        " out. PATH begins with / or ? and is appended to the connection's base URL."
    )
    example = "python manage.py call acme/billing --environment staging GET '/invoices?limit=1' -H 'Accept: application/json'"

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("connection", metavar="TENANT/INTEGRATION[:NAME]")
        parser.add_argument("request", nargs="*", metavar="METHOD PATH")
        parser.add_argument("--environment", required=True, metavar="E")
        parser.add_argument(
            "-H",
            "--header",
            action="append",
            default=[],
            metavar="'NAME: VALUE'",
            help="may be repeated; 'NAME:' leaves out what the integration would send, 'NAME;' sends it empty",
        )
        parser.add_argument(
            "-d", "--data", metavar="BODY", help="the body as it is; @FILE and @- read it"
        )
        self.add_json(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        names = self.parse_target(options["connection"])
        name = Name(names.tenant, names.integration, options["environment"], names.connection)
        call = self.call(options)
        try:
            told = call_by_hand(load_target(name), call)
        except (UnknownName, ValueError) as typed:
            self.fail(str(typed))
        if isinstance(told.outcome, CallResult):
            for dropped in told.outcome.dropped:
                self.stderr.write(f"{dropped}: left out, because the credential is sent there.")
            if not options["json"]:
                self.write_body(told.outcome.response.content)
        if told.explanation is not None:
            raise Failed(words(told.explanation), returncode=1, document=told.document)
        if options["json"]:
            self.print_json(told.document)

    def write_body(self, body: bytes) -> None:
        """The bytes as they came, past the encoding of stdout."""
        out = getattr(self.stdout, "_out", self.stdout)
        binary = getattr(out, "buffer", None)
        if binary is None:
            out.write(body.decode("utf-8", "replace"))
            return
        out.flush()
        binary.write(body)
        binary.flush()

    def call(self, options: dict[str, Any]) -> Call:
        method, path = self.method_and_path(options["request"])
        headers, removed = [], set()
        for text in options["header"]:
            header, mark, value = _header(text)
            if not TOKEN.fullmatch(header) or not mark:
                self.fail(
                    f"{header!r}: a header is written as 'Name: value', in quotes. Give it a colon."
                )
            if mark == ":" and not value:
                removed.add(header.lower())
            else:
                headers.append((header, value))
        return Call(
            method=method,
            path=path,
            headers=tuple(headers),
            removed=frozenset(removed),
            body=self.body(options["data"]),
        )

    def method_and_path(self, words: list[str]) -> tuple[str, str]:
        """METHOD and PATH, of which either may be left out: PATH begins with / or ?."""
        if len(words) > 2:
            self.fail(
                "After the connection come METHOD and PATH, and nothing else: put what has blanks in it in quotes, and headers after -H."
            )
        if len(words) == 2:
            method, path = words
        elif words and (words[0].startswith(("/", "?")) or not words[0]):
            method, path = "GET", words[0]
        else:
            method, path = (words or ["GET"])[0], ""
        if not TOKEN.fullmatch(method) or method.upper() == "CONNECT":
            self.fail(
                f"{method!r} isn't an HTTP method. A PATH begins with / or ?: write GET /invoices, say."
            )
        return method.upper(), path

    def body(self, text: str | None) -> bytes | None:
        if text is None:
            return None
        if not text.startswith("@"):
            # What the shell gave as bytes that aren't UTF-8 goes out as those bytes.
            return text.encode("utf-8", "surrogateescape")
        if text == "@-":
            return sys.stdin.buffer.read()
        try:
            return Path(text[1:]).read_bytes()
        except OSError as problem:
            self.fail(
                f"{text[1:]} can't be read: {problem.strerror}. Name a file that is there and readable, or @- for stdin."
            )


def _header(text: str) -> tuple[str, str, str]:
    """Name, mark and value of 'Name: value', and of curl's 'Name;' for an empty one."""
    name, mark, value = text.partition(":")
    if not mark and text.endswith(";"):
        return text[:-1].strip(), ";", ""
    return name.strip(), mark, value.strip()


def words(told: Explanation) -> str:
    """What a person reads when a call failed."""
    checks = "".join(f"\n  - {check}" for check in told.checks)
    return f"{told.summary}\n{told.likely_cause}{checks}"
