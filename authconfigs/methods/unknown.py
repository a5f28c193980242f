from collections.abc import Mapping
from typing import Any

from authconfigs.methods.base import AuthMethod, MethodForm


class UnknownMethod(AuthMethod):
    """Stands in for a method that a stored config names and this version doesn't have, after a downgrade for example.

    It has no fields and is never used: what is stored stays as it is, until somebody chooses another method.
    """

    group = best_for = security_level = complexity = ""
    security_notes = ()
    Form = MethodForm

    def __init__(self, code: str) -> None:
        self.code = code
        self.label = f"unknown method {code}"

    @property
    def problem(self) -> str:
        return f"This version doesn't know the method {self.code}: choose another one, or bring back the version that has it."

    def available(self) -> bool:
        return False

    def warnings(self, fields: Mapping[str, Any]) -> tuple[str, ...]:
        return (self.problem,)
