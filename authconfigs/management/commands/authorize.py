import time
from argparse import ArgumentTypeError
from math import isfinite
from typing import Any

from django.core.management.base import CommandParser

from authconfigs.authorization import links, trips
from authconfigs.database import database_now
from authconfigs.errors import OutboundError
from authconfigs.models import AuthConfig, AuthorizationRequest
from authconfigs.saving.tokens import needs_consent
from authconfigs.state import ConfigState, UnknownName, load_named_config
from authconfigs.symptoms import Stage, Symptom
from tenants.audit import record
from tenants.commands import ConsoleCommand, Failed

PAUSE = 0.3


class Command(ConsoleCommand):
    help = "Print a link with which somebody connects an auth config at its provider: it works once, for 30 minutes."
    example = "python manage.py authorize acme/crm --environment staging --wait 600"

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("config", metavar="TENANT/CONFIG")
        parser.add_argument("--environment", required=True, metavar="E")
        parser.add_argument(
            "--wait",
            type=seconds,
            metavar="SECONDS",
            help="wait at most this long for the consent, and print how it ended; with --json the link goes to stderr",
        )
        self.add_json(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        name = self.parse_config(options["config"])
        try:
            state = load_named_config(name.tenant, name.config, environment=options["environment"])
        except UnknownName as unknown:
            self.fail(str(unknown))
        if not needs_consent(state.method.code):
            self.fail(
                f"{state} uses {state.method.label}, which needs no consent: name a config of OAuth 2.0 authorization code."
            )
        try:
            trips.check_connectable(state)
        except OutboundError as error:
            raise self.ended(error.symptom, error.summary, stage=error.stage) from None
        with self.in_tenant(name.tenant):
            trip, link = links.make_link(state)
            record("consent_link", AuthConfig.objects.filter(id=state.config_id).first())
            self.show(state, trip, link, options)
            if options["wait"] is not None:
                self.wait(trip, options["wait"])

    def show(
        self, state: ConfigState, trip: AuthorizationRequest, link: str, options: dict[str, Any]
    ) -> None:
        waits = options["wait"] is not None
        if options["json"] and not waits:
            self.print_json(
                {
                    "url": link,
                    "redirect_uri": trips.redirect_uri(),
                    "expires_at": trip.expires_at.isoformat(timespec="seconds"),
                }
            )
            return
        out = self.stderr if options["json"] else self.stdout
        lines = (
            f"Open this to connect {state} in {state.environment}. It works once, until {trip.expires_at:%H:%M} UTC:",
            link,
            f"The provider sends the browser back to {trips.redirect_uri()}, which has to be registered there.",
        )
        # Not in red: nothing is wrong.
        out.write("\n".join(lines), lambda text: text)
        out.flush()

    def wait(self, trip: AuthorizationRequest, longest: float) -> None:
        """Block until the trip has ended, and print how."""
        until = time.monotonic() + longest
        while True:
            row = AuthorizationRequest.objects.filter(id=trip.id).first()
            if row is None:
                gone = "The auth config was deleted meanwhile."
                raise self.ended(Symptom.REAUTHORIZATION_REQUIRED, gone)
            if row.summary:
                break
            if row.consumed_at is None and row.expires_at <= database_now():
                late = "Nobody consented in time, so the link doesn't work any more."
                raise self.ended(Symptom.TIMEOUT, late)
            left = until - time.monotonic()
            if left <= 0:
                late = f"Nobody has consented within {longest:g} seconds. {still_open(row)}"
                raise self.ended(Symptom.TIMEOUT, late)
            time.sleep(min(PAUSE, left))
        summary = " ".join(row.summary.splitlines())
        if row.symptom:
            raise self.ended(Symptom(row.symptom), summary)
        if self._prints_json:
            self.print_json(document(None, summary))
        else:
            self.stdout.write(summary)

    def ended(self, symptom: Symptom, summary: str, *, stage: Stage = Stage.TOKEN) -> Failed:
        return Failed(summary, returncode=1, document=document(symptom, summary, stage=stage))


def still_open(trip: AuthorizationRequest) -> str:
    """What can come of a trip that nobody waits for any more."""
    until = f"{trip.expires_at:%H:%M} UTC"
    if trip.consumed_at is not None:
        return "The provider's answer has come just now, and the token is being asked for."
    if trip.state_hash:
        return f"The link is used: whoever opened it can consent at the provider until {until}."
    return f"The link still works until {until}."


def document(
    symptom: Symptom | None, summary: str, *, stage: Stage = Stage.TOKEN
) -> dict[str, Any]:
    """What `--wait --json` prints."""
    return {"ok": symptom is None, "symptom": symptom, "stage": stage, "summary": summary}


def seconds(text: str) -> float:
    """A time in seconds. Raises ArgumentTypeError."""
    try:
        number = float(text)
    except ValueError:
        number = -1.0
    if not isfinite(number) or number < 0:
        raise ArgumentTypeError("a number of seconds, for example 600")
    return number
