"""HMAC signatures, as an API documents its own: what is signed, and how the header writes it."""

import base64
import hmac
import re
from typing import Annotated, Literal
from urllib.parse import urlsplit

from experience_runtime.integration import HeaderName
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr

from experience_integrations.placeholders import Known

_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
_SIGNED = ("body", "timestamp", "execution_id", "method", "path")


def _signed(template: str) -> str:
    if any(name not in _SIGNED for name in _PLACEHOLDER.findall(template)):
        raise ValueError(f"takes {', '.join(f'{{{name}}}' for name in _SIGNED)}; leave the others out")
    if "{body}" not in template:
        raise ValueError("does not sign {body}; add it, for instance {timestamp}.{body}")
    return template


class HmacSignature(BaseModel):
    """`signs`: the text that is signed; `prefix` stands before the signature, such as `sha256=`."""

    model_config = ConfigDict(extra="forbid")

    secret: Annotated[SecretStr, Field(min_length=1)]
    header: HeaderName = "x-signature"
    signs: Annotated[str, AfterValidator(_signed)] = "{body}"
    algorithm: Literal["sha256", "sha512"] = "sha256"
    encoding: Literal["hex", "base64"] = "hex"
    prefix: Annotated[str, Field(pattern=r"^[\x21-\x7e]*$")] = ""
    timestamp_header: HeaderName | None = None

    @property
    def header_names(self) -> list[str]:
        """The headers that it sets, in small letters."""
        return [name.lower() for name in (self.header, self.timestamp_header) if name is not None]

    def headers(self, method: str, url: str, content: bytes, known: Known) -> dict[str, str]:
        """The headers of a request: the signature, and the time where it has a header of its own."""
        parts = urlsplit(url)
        values = {
            "body": content,
            "timestamp": str(known.timestamp_seconds).encode(),
            "execution_id": known.execution_id.encode(),
            "method": method.encode(),
            "path": f"{parts.path or '/'}{f'?{parts.query}' if parts.query else ''}".encode(),
        }
        # split, not replaced one by one: a body may hold what looks like a placeholder
        pieces = re.split(r"(\{[^{}]*\})", self.signs)
        signed = b"".join(
            values[piece[1:-1]] if _PLACEHOLDER.fullmatch(piece) else piece.encode() for piece in pieces
        )
        digest = hmac.digest(self.secret.get_secret_value().encode(), signed, self.algorithm)
        text = digest.hex() if self.encoding == "hex" else base64.b64encode(digest).decode("ascii")
        told = {self.header.lower(): f"{self.prefix}{text}"}
        if self.timestamp_header is not None:
            told[self.timestamp_header.lower()] = str(known.timestamp_seconds)
        return told
