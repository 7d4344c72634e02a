"""/csml/apps: `App("utils/scheduler", …)` over HTTP, as the open CSML engine calls an app.

Source: reference/http#post-csmlapps.

    POST /csml/apps   {"function_id": "utils/scheduler", "data": {…}, "client": {…}}  ->  {"data": {…}}

The engine sends the key of its environment as `X-Api-Key`; one that sends none may have a site key in the
address, `/csml/apps/k/<siteKey>`. A refusal is an answer.
"""

from typing import Annotated, Any

from fastapi import APIRouter
from starlette.responses import Response

from experience_runtime.domain.access import Right
from experience_runtime.domain.clients import Client, read_client
from experience_runtime.domain.errors import (
    DatabaseUnavailable,
    ExperienceError,
    InvalidParameter,
    MissingParameter,
    error_of,
)
from experience_runtime.engine.app_events import answer_app, refused
from experience_runtime.web.api.idempotency import OnceRoute
from experience_runtime.web.given import GivenRuntime
from experience_runtime.web.guard.access import Caller, needs
from experience_runtime.web.guard.middleware import CSML_APPS
from experience_runtime.web.guard.problems import Document, RefusedDocument, status_of
from experience_runtime.web.wire.bodies import Posted, posted_object, require_for

router = APIRouter(route_class=OnceRoute, include_in_schema=False)


@router.post(CSML_APPS)
@router.post(f"{CSML_APPS}/k/{{site_key}}")
def call(runtime: GivenRuntime, caller: Annotated[Caller, needs(Right.TELL)], body: Posted) -> Response:
    try:
        sent = posted_object(body)
        client = _client(sent)
    except (InvalidParameter, MissingParameter) as refusal:
        return _refused(refusal)
    answer = answer_app(
        runtime.scheduler,
        sent.get("function_id"),
        sent.get("data"),
        client=client,
        require=require_for(caller, runtime.settings),
    )
    if answer["success"]:
        return Document({"data": answer})
    return _refused(error_of(answer["error"]["code"], answer["error"]["message"]))


def _refused(error: ExperienceError) -> Response:
    if isinstance(error, DatabaseUnavailable):
        raise error
    return RefusedDocument({"data": refused(error)}, status_of(error), error.code)


def _client(sent: dict[str, Any]) -> Client:
    """The client, whose user must be known: a name in one scope for all would let users cancel each other."""
    if sent.get("client") is None:
        raise MissingParameter('client is missing; send {"bot_id": …, "channel_id": …, "user_id": …}')
    client = read_client(sent["client"])
    if client.user_id is None:
        raise MissingParameter("client.user_id is missing; name the user the event is for")
    return client
