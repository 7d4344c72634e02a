"""Signatures: how a receiver knows that a message is ours and was not changed."""

import base64
import binascii
import hashlib
import hmac

SECRET_BYTES = (24, 64)
_PREFIX = "whsec_"


def webhook_signature(secret: str, *, message_id: str, timestamp_seconds: int, body: bytes) -> str:
    """Sign a message; return the value of its `webhook-signature` header.

    `secret` is `whsec_` and the base64 of 24 to 64 bytes; several, separated by blanks, sign each, so that a
    receiver can go from the old to the new. `body` is signed as it is sent, to the byte; `message_id` and
    `timestamp_seconds` are the headers `webhook-id` and `webhook-timestamp`. Raises ValueError, without the
    secret, when one is not such a secret. Source: the Standard Webhooks specification, "Signature scheme".
    """
    signed = f"{message_id}.{timestamp_seconds}.".encode() + body
    return " ".join(
        "v1," + base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode("ascii")
        for key in webhook_keys(secret)
    )


def webhook_keys(secret: str) -> tuple[bytes, ...]:
    """Read the keys of a `whsec_…` secret, or of several. Raises ValueError, without the secret."""
    keys = tuple(_key(part) for part in secret.split())
    if not keys:
        raise ValueError("must hold a secret; write whsec_ and the base64 of 24 to 64 random bytes")
    return keys


def _key(text: str) -> bytes:
    least, most = SECRET_BYTES
    try:
        if not text.startswith(_PREFIX):
            raise ValueError
        key = base64.b64decode(text.removeprefix(_PREFIX), validate=True)
    except (ValueError, binascii.Error):
        raise ValueError(f"must be whsec_ and the base64 of {least} to {most} random bytes") from None
    if not least <= len(key) <= most:
        raise ValueError(f"is a secret of {len(key)} bytes, it must have {least} to {most}; make a new one")
    return key
