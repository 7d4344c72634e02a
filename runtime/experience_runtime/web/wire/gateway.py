"""/integrations: the wire protocol of the original browser client, which needs a new base URL only.

    POST /integrations/<encodedId>         execute   {"data", "key", "meta", …}  ->  {"ok": true, "data": …}
    POST /integrations/defer/<encodedId>   schedule  + "delay" | "time", "window", "cancelOnConversion"
    POST /integrations/cancel/<encodedId>  cancel    {"key", "reason", "meta"}
    POST /integrations/conversion          a conversion  {"visitorId"}

The client sends no header, so its site key may stand in the base: `/integrations/k/<siteKey>/…`. It takes
every status from 300 on for a broken connection: a refusal is 200 with `{"ok": false, "error": {"message",
"code"}}`.
"""

import logging
from collections.abc import Callable, Mapping
from typing import Annotated, Any

from fastapi import APIRouter
from starlette.responses import Response

from experience_runtime.domain.access import Right
from experience_runtime.domain.encoded_ids import integration_of
from experience_runtime.domain.errors import (
    ExperienceError,
    Forbidden,
    InternalError,
    InvalidParameter,
    MissingParameter,
)
from experience_runtime.domain.values import read_name, shown
from experience_runtime.running.guest_calls import GuestCalls
from experience_runtime.runtime import Runtime
from experience_runtime.web.answering import answer_of
from experience_runtime.web.api.idempotency import OnceRoute
from experience_runtime.web.given import GivenAtOnce, GivenRuntime
from experience_runtime.web.guard.access import Caller, needs
from experience_runtime.web.guard.problems import Document, gateway_refusal, status_of
from experience_runtime.web.wire.bodies import Posted, posted_object, require_for

_OURS = ("data", "meta")
"""What a body holds beside the options."""

_logger = logging.getLogger("experience_runtime.gateway")

_Site = Annotated[Caller, needs(Right.TELL)]


router = APIRouter(route_class=OnceRoute, include_in_schema=False)


@router.post("/integrations/conversion")
@router.post("/integrations/k/{site_key}/conversion")
def conversion(runtime: GivenRuntime, caller: _Site, body: Posted) -> Response:  # noqa: ARG001 - who may call
    def convert() -> Any:
        visitor_id = posted_object(body).get("visitorId")
        if visitor_id is None:
            raise MissingParameter('visitorId is missing; send {"visitorId": …}')
        return {"cancelled": len(runtime.convert(visitor_id))}

    return _answered(runtime, convert)


@router.post("/integrations/defer/{encoded_id}")
@router.post("/integrations/k/{site_key}/defer/{encoded_id}")
def defer(encoded_id: str, runtime: GivenRuntime, caller: _Site, body: Posted) -> Response:
    def schedule() -> Any:
        integration, sent, calls = _asked(runtime, caller, encoded_id, body)
        return calls.schedule(integration, sent.get("data"), _options(sent), _note)[0]

    return _answered(runtime, schedule)


@router.post("/integrations/cancel/{encoded_id}")
@router.post("/integrations/k/{site_key}/cancel/{encoded_id}")
def cancel(encoded_id: str, runtime: GivenRuntime, caller: _Site, body: Posted) -> Response:
    def act() -> Any:
        integration, sent, calls = _asked(runtime, caller, encoded_id, body)
        return calls.cancel(integration, _options(sent), _note)

    return _answered(runtime, act)


@router.post("/integrations/{encoded_id}")
@router.post("/integrations/k/{site_key}/{encoded_id}")
def execute(
    encoded_id: str, runtime: GivenRuntime, at_once: GivenAtOnce, caller: _Site, body: Posted
) -> Response:
    def act() -> Any:
        integration, sent, calls = _asked(runtime, caller, encoded_id, body)
        with at_once.of(caller.shares):
            started = calls.execute(integration, sent.get("data"), _options(sent), _note)
            return answer_of(runtime, started)

    return _answered(runtime, act)


def _asked(
    runtime: Runtime, caller: Caller, encoded_id: str, body: bytes
) -> tuple[str, Mapping[str, Any], GuestCalls]:
    """Which integration is meant, what was sent, and who answers for the visitor it is about."""
    integration = integration_of(encoded_id)
    require_for(caller, runtime.settings)(integration)
    sent = posted_object(body)
    meta = _object(sent, "meta")
    experience = _object(meta, "experience", "meta.").get("experienceId")
    return (
        integration,
        sent,
        GuestCalls(
            scheduler=runtime.scheduler,
            visitor=runtime.visitor(meta.get("visitorId")),
            experience=None if experience is None else read_name("experienceId", str(experience)),
            own_space=None if caller.may(Right.CALL) else f"site {caller.name}",
        ),
    )


def _options(sent: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in sent.items() if name not in _OURS}


def _object(holder: Mapping[str, Any], name: str, where: str = "") -> Mapping[str, Any]:
    value = holder.get(name)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise InvalidParameter(f"{where}{name} {shown(value)} is not an object; write {{…}} or leave it out")
    return value


def _answered(runtime: Runtime, act: Callable[[], Any]) -> Response:
    """The answer of one call; who may not call at all, and what is our fault, are answered elsewhere."""
    try:
        return Document({"ok": True, "data": act()})
    except (Forbidden, InternalError):
        raise
    except ExperienceError as error:
        return gateway_refusal(status_of(error), error.code, runtime.settings.redact(error.message))


def _note(level: str, line: str) -> None:
    """A line that an author's log would have; here nobody reads one."""
    _logger.debug("%s: %s", level, line)
