"""/v1: the tokens, as far as they may be shown."""

from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel

from experience_runtime.documents.documents import token_document
from experience_runtime.domain.access import Right, Scope
from experience_runtime.web.api.openapi import Instant, answers
from experience_runtime.web.given import GivenRuntime
from experience_runtime.web.guard.access import Caller, needs
from experience_runtime.web.guard.problems import Document


class ShownToken(BaseModel):
    """`used_at` is right to the minute; null: it was not used yet."""

    name: str
    scopes: list[Scope]
    origins: list[str]
    note: str
    created_at: Instant
    expires_at: Instant | None
    used_at: Instant | None


class Tokens(BaseModel):
    tokens: list[ShownToken]


_SHOP = {
    "name": "shop",
    "scopes": ["site"],
    "origins": ["https://shop.example"],
    "note": "the snippet of the shop",
    "created_at": "2026-03-04T10:30:15.250Z",
    "expires_at": None,
    "used_at": "2026-03-05T08:00:00.000Z",
}

router = APIRouter(prefix="/v1", tags=["tokens"])


@router.get("/tokens", summary="List tokens", responses=answers(Tokens, {"tokens": [_SHOP]}))
def list_tokens(runtime: GivenRuntime, _: Annotated[Caller, needs(Right.READ)]) -> Document:
    """What each may do, from where, until when, and when it was used last. Scopes: operator, viewer."""
    return Document({"tokens": [token_document(each) for each in runtime.store.tokens.all()]})
