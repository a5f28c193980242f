"""The cipher: what is put into a box opens with the same key and the same context only."""

from dataclasses import dataclass, field

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.core.signing import BadSignature
from django.utils.encoding import force_bytes
from django_cryptography.core.signing import FernetSigner
from django_cryptography.utils.crypto import FernetBytes, InvalidToken

from authconfigs.errors import SecretUnreadable

UNREADABLE = (
    "A stored secret can't be decrypted with the current keys: its key is missing, or it was"
    " altered or belongs elsewhere."
)


class _ContextSigner(FernetSigner):
    """The MAC also covers a context that isn't stored with the ciphertext."""

    def __init__(self, key: bytes, context: bytes) -> None:
        super().__init__(key, "sha256")
        self._context = context

    def signature(self, value: bytes | str) -> bytes:
        return super().signature(self._context + force_bytes(value))


@dataclass(frozen=True)
class Box:
    _encryption_key: bytes = field(repr=False)
    _mac_key: bytes = field(repr=False)

    @classmethod
    def derived(cls, secret: bytes, purpose: str) -> "Box":
        """The box of a secret for one purpose; boxes of other purposes have unrelated keys."""
        keys = derive(secret, purpose, length=64)
        return cls(keys[:32], keys[32:])

    def close(self, plaintext: bytes, context: bytes) -> bytes:
        """Encrypt; the same plaintext gives another ciphertext each time."""
        return self._cipher(context).encrypt(plaintext)

    def open(self, ciphertext: bytes, context: bytes) -> bytes:
        """Decrypt what was closed with this context. Raises SecretUnreadable for anything else."""
        try:
            return self._cipher(context).decrypt(ciphertext)
        except (BadSignature, InvalidToken):
            raise SecretUnreadable(UNREADABLE) from None

    def _cipher(self, context: bytes) -> FernetBytes:
        return FernetBytes(self._encryption_key, _ContextSigner(self._mac_key, context))


def derive(secret: bytes, purpose: str, *, length: int) -> bytes:
    """Key material for one purpose (HKDF, RFC 5869)."""
    info = f"outbound-auth-console {purpose}".encode()
    return HKDF(algorithm=SHA256(), length=length, salt=None, info=info).derive(secret)


def context_of(*parts: str) -> bytes:
    """Parts as one context; no other parts give the same bytes."""
    encoded = [part.encode() for part in parts]
    return b"".join(len(part).to_bytes(4, "big") + part for part in encoded)
