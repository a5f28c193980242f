"""What makes a text helpful: it is ours, it is specific, and it says what to do next."""

import re
from collections.abc import Iterator

from django import forms
from django.contrib.auth import forms as auth_forms
from django.core import validators
from django.db import models

LEAST_WORDS = 5

VAGUE = (
    "an error occurred",
    "bad input",
    "bad request",
    "correct the error",
    "does not exist",
    "enter a valid",
    "error below",
    "invalid data",
    "invalid input",
    "invalid value",
    "no data",
    "no results",
    "not allowed",
    "not valid",
    "permission denied",
    "please",
    "something went wrong",
    "this field is required",
    "unexpected error",
    "unknown error",
)

VERBS = (
    "add|allow|apply|ask|attach|begin|bring|change|check|choose|clear|close|compare|connect|copy|create|cut|delete|detach|edit|enter"
    "|fill|find|give|go|hand|keep|leave|let|log|look|make|mark|mend|move|name|open|paste|pick|press|put|read|register"
    "|reload|remove|rename|repeat|reset|say|see|select|send|shorten|show|spell|start|stop|switch|test|tick|try|type|undo"
    "|use|wait|write"
)
# A clause that begins with a verb: at the beginning, behind a mark, or behind a joining word.
TELLS = re.compile(rf"(?:^|[.:;,!?(“] ?|\b(?:and|or|then|else|first) )(?:{VERBS})\b", re.IGNORECASE)


def _templates() -> Iterator[str]:
    """Every message that Django's forms, model fields and validators come with."""
    modules = (forms.fields, forms.models, auth_forms, validators, models.fields)
    classes = [each for module in modules for each in vars(module).values()]
    for each in filter(lambda found: isinstance(found, type), classes):
        for name in ("default_error_messages", "error_messages"):
            messages = getattr(each, name, None)
            yield from map(str, messages.values() if isinstance(messages, dict) else ())
        yield str(getattr(each, "message", ""))


def _pattern(template: str) -> re.Pattern[str]:
    parts = re.split(r"%\(\w+\)\w", template)
    return re.compile(".+".join(map(re.escape, parts)))


DJANGOS = [_pattern(template) for template in dict.fromkeys(_templates()) if template.strip()]


def faults(text: str, *, must_tell: bool = True) -> list[str]:
    """Why a text is no help; nothing where it is one. `must_tell`: it has to say what to do."""
    found = [f"says “{phrase}”" for phrase in VAGUE if phrase in text.lower()]
    if any(pattern.fullmatch(text) for pattern in DJANGOS):
        found.append("is Django's own")
    if len(text.split()) < LEAST_WORDS:
        found.append(f"has fewer than {LEAST_WORDS} words")
    if not text.endswith((".", "?", ":")):
        found.append("is no sentence")
    if must_tell and not TELLS.search(text):
        found.append("doesn't say what to do")
    if re.search(r"\bNone\b|\{\w*\}|%\(|\bnan\b|<\w+ object|\['|Decimal\(", text):
        found.append("shows a program's value")
    return found
