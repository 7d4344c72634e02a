"""The page of tokens: what each may do, until when, and whether it is used. It shows and changes nothing."""

from fastapi import APIRouter, Request
from fastapi.responses import Response

from experience_runtime.documents.documents import token_document
from experience_runtime.domain.access import Right
from experience_runtime.web.given import GivenRuntime
from experience_runtime.web.guard.access import signed_in
from experience_runtime.web.pages.refusals import HtmlRoute
from experience_runtime.web.pages.rendering import GivenRendering

HERE = "/settings/tokens"

router = APIRouter(route_class=HtmlRoute, include_in_schema=False, dependencies=[signed_in(Right.READ)])


@router.get(HERE)
def tokens(request: Request, runtime: GivenRuntime, rendering: GivenRendering) -> Response:
    now = runtime.clock.now()
    shown = [
        token_document(each) | {"is_expired": each.is_expired(now)} for each in runtime.store.tokens.all()
    ]
    return rendering.page(
        request, "tokens.html", here=HERE, tokens=shown, audit=runtime.lookup.audit.of("token")
    )
