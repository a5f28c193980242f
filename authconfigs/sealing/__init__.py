"""Envelope encryption, without a database: master keys wrap data keys, data keys seal values.

A sealed value opens only where it was sealed: its MAC covers what it is for, its tenant and its row. The cipher is
`FernetBytes` of django-cryptography (AES-256-CBC, then HMAC-SHA256) with keys from HKDF (RFC 5869).
"""

from authconfigs.sealing.keys import DataKey, Place, number_of
from authconfigs.sealing.wrapping import Wrapped, new_secret, unwrap, wrap

__all__ = ["DataKey", "Place", "Wrapped", "new_secret", "number_of", "unwrap", "wrap"]
