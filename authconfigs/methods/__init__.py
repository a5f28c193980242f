"""The methods, all of them. A new one is one file, one line here and an answer in `questions`: no migration, no template, no admin edit."""

from authconfigs.methods.api_key import ApiKey
from authconfigs.methods.base import AuthMethod
from authconfigs.methods.basic import Basic
from authconfigs.methods.bearer import Bearer
from authconfigs.methods.oauth2_authorization_code import AuthorizationCode
from authconfigs.methods.oauth2_client_credentials import ClientCredentials
from authconfigs.methods.oauth2_password import PasswordGrant
from authconfigs.methods.unknown import UnknownMethod

METHODS: tuple[AuthMethod, ...] = (
    Bearer(),
    ApiKey(),
    Basic(),
    ClientCredentials(),
    AuthorizationCode(),
    PasswordGrant(),
)

_BY_CODE = {method.code: method for method in METHODS}
if len(_BY_CODE) != len(METHODS):
    raise RuntimeError("Two methods in METHODS have the same code.")


def by_code(code: str) -> AuthMethod:
    """The method of that code. Raises KeyError when there is none."""
    return _BY_CODE[code]


def stored(code: str) -> AuthMethod:
    """The method of a stored config, which may be one that this version doesn't know."""
    return _BY_CODE.get(code) or UnknownMethod(code)


def choices() -> list[tuple[str, str]]:
    """Codes and labels, for a model field; a callable, so that a new method is no schema change."""
    return [(method.code, method.label) for method in METHODS]
