"""The stamp of what is stored: pages that look again ask for it first, and then for themselves."""

from fastapi import APIRouter
from fastapi.responses import Response

from experience_runtime.domain.access import Right
from experience_runtime.web.given import GivenRuntime
from experience_runtime.web.guard.access import signed_in
from experience_runtime.web.guard.problems import Document

# not for authors: it tells that something was written, also of what they do not see
router = APIRouter(include_in_schema=False, dependencies=[signed_in(Right.READ)])


@router.get("/stamp")
def stamp(runtime: GivenRuntime) -> Response:
    return Document({"stamp": runtime.store.stamp()})
