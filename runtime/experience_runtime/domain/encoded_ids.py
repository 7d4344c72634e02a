"""Encoded ids: an integration as the original client names it, base64 of `propertyId:slug:majorVersion`."""

import base64

from experience_runtime.domain.errors import InvalidParameter
from experience_runtime.domain.values import shown

_LONGEST = 400
_URL_SAFE = str.maketrans("-_", "+/")


def integration_of(encoded_id: str) -> str:
    """Read the integration's name, the slug; in either alphabet, with or without padding.

    There is one property here, and one version of each integration: both are passed over.
    """
    plain = encoded_id.rstrip("=").translate(_URL_SAFE)
    try:
        if len(plain) > _LONGEST:
            raise ValueError
        padded = plain + "=" * (-len(plain) % 4)
        property_id, slug, major_version = base64.b64decode(padded, validate=True).decode().split(":")
    except ValueError:  # also what is no base64, no UTF-8, or not of three parts
        property_id = slug = major_version = ""
    if not property_id or not slug or not (major_version.isascii() and major_version.isdigit()):
        raise InvalidParameter(
            f"{shown(encoded_id)} names no integration; write base64 of propertyId:slug:majorVersion, "
            f'for instance "{base64.b64encode(b"1:slack-update:1").decode()}"'
        )
    return slug
