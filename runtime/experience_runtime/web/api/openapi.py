"""What the operations of the OpenAPI document share: problems, bodies and parameters."""

from typing import Annotated, Any

from fastapi import Path, Query
from pydantic import BaseModel, ConfigDict, Field, StrictInt

from experience_runtime.web.guard.problems import MEDIA_TYPE

Responses = dict[int | str, dict[str, Any]]


class Body(BaseModel):
    """What a request may hold: nothing that is not named."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Problem(BaseModel):
    """A refusal or failure, as RFC 9457 has it. `code` never changes its meaning."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    code: str


_TITLES = {
    401: ("Unauthorized", "unauthorized", "this needs a token; send `Authorization: Bearer exp_…`"),
    403: ("Forbidden", "forbidden", "the token qa has the scope author; this needs operator"),
    404: ("Not Found", "unknown_execution", "there is no execution ex_0000000000001"),
    405: ("Method Not Allowed", "invalid_parameter", "PATCH is not possible here; see the Allow header"),
    409: ("Conflict", "conflict", "ex_0bb6rczg0ryj5 is cancelled; only a pending execution can be cancelled"),
    413: ("Content Too Large", "payload_too_large", "the body has more than 524,288 bytes; send less"),
    422: ("Unprocessable Content", "invalid_delay", 'delay "soon" is not a duration; write "90 min"'),
    429: ("Too Many Requests", "rate_limited", "too many requests; wait 0.5 s"),
    500: ("Internal Server Error", "internal_error", "something went wrong on our side"),
    502: ("Bad Gateway", "integration_failed", "the receiver answered 400"),
    504: ("Gateway Timeout", "integration_timeout", "slack-update did not answer within 5 s"),
}
_EVERYWHERE = (401, 403, 422, 429, 500)


def answers(model: Any, example: Any, *problems: int, status: int = 200) -> Responses:
    """The answers of an operation: the good one, those that every operation has, and these problems."""
    good = {"model": model, "content": {"application/json": {"example": example}}, "description": "Done."}
    given: Responses = {status: good}
    for code in sorted({*_EVERYWHERE, *problems}):
        given[code] = _problem(code)
    return given


def _problem(status: int) -> dict[str, Any]:
    title, code, detail = _TITLES[status]
    example = {"type": "about:blank", "title": title, "status": status, "detail": detail, "code": code}
    schema = {"$ref": "#/components/schemas/Problem"}
    answer: dict[str, Any] = {
        "description": title,
        "content": {MEDIA_TYPE: {"schema": schema, "example": example}},
    }
    if status == 429:
        answer["headers"] = {"Retry-After": {"schema": {"type": "integer"}, "description": "Seconds."}}
    if status == 401:
        answer["headers"] = {"WWW-Authenticate": {"schema": {"type": "string"}}}
    return answer


Instant = Annotated[str, Field(json_schema_extra={"format": "date-time"})]
"""ISO 8601 with its offset, to the millisecond."""

ExecutionId = Annotated[
    str, Path(max_length=64, description="The id of an execution.", examples=["ex_0bb6rczg0ryj5"])
]
Zone = Annotated[str | None, Field(max_length=100, description="An IANA name such as `Europe/Paris`.")]
Offset = Annotated[
    StrictInt | None, Field(description="Minutes *behind* UTC, as `getTimezoneOffset()`: -60 is UTC+1.")
]
Name = Annotated[str, Path(max_length=200)]
VisitorId = Annotated[
    str, Path(min_length=1, max_length=200, description="1 to 200 characters, none of them a control.")
]
Limit = Annotated[int, Query(ge=1, le=500, description="How many a page.")]
Cursor = Annotated[
    str | None, Query(max_length=64, description="Go on where the page before ended: its `next`.")
]
