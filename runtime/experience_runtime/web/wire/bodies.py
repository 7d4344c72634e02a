"""Posted: the body of a request to the endpoints that other clients were written for, read leniently.

Such clients send JSON under any content type, among them `text/plain`, which needs no preflight.
"""

import json
from collections.abc import Callable
from typing import Annotated, Any

from fastapi import Depends, Request

from experience_runtime.domain.access import Right
from experience_runtime.domain.errors import Forbidden, InvalidParameter
from experience_runtime.domain.values import refuse_constant
from experience_runtime.settings.load import Settings
from experience_runtime.web.guard.access import Caller


async def _read(request: Request) -> bytes:
    return await request.body()


Posted = Annotated[bytes, Depends(_read)]


def posted_object(body: bytes) -> dict[str, Any]:
    """The JSON object of a body; InvalidParameter when it is none."""
    try:
        value = json.loads(body, parse_constant=refuse_constant)
    except (ValueError, RecursionError):
        raise InvalidParameter("the body is not JSON, or nested too deeply; send an object") from None
    if not isinstance(value, dict):
        raise InvalidParameter("the body is not a JSON object; write {…}")
    return value


def require_for(caller: Caller, settings: Settings) -> Callable[[str], None]:
    """Make what raises Forbidden for an integration a site may not call."""

    def require(integration: str) -> None:
        if not caller.may(Right.CALL) and not settings.is_for_sites(integration):
            # whether there is one of this name is not told
            raise Forbidden(
                f'"{integration[:100]}" is not for sites; write site = true under [integrations.NAME] '
                "in experience.toml"
            )

    return require
