"""The OpenAPI document: names that people type, what each group is, where it is served, examples."""

import re
from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI, Request
from fastapi.routing import APIRoute

from experience_runtime.web.api.examples import BODIES
from experience_runtime.web.api.openapi import Problem
from experience_runtime.web.guard.problems import Document
from experience_runtime.web.guard.proxies import path_prefix

ABOUT = """Schedule, cancel and look after calls of integrations, and run experiences.

Send a token of `experience tokens create` as `Authorization: Bearer exp_…`, and an `Idempotency-Key` with
each write: the same request under the same key happens once. A refusal is a problem document (RFC 9457) with
a `code` that never changes its meaning. Instants are ISO 8601, in UTC where nothing else is said."""

TAGS = (
    ("executions", "What waits, runs and has ended; change it one by one or by filter."),
    ("integrations", "What can be called: look, pause, and ask of it what an experience may ask."),
    ("experiences", "Run them, check them, play them in simulated time; what their runs did."),
    ("releases", "What visitors get of each experience, and how to go back."),
    ("deliveries", "Hold everything, and let it go on."),
    ("schedules", "What recurs."),
    ("visitors", "What is known of people: events, conversions, ids."),
    ("tokens", "Who may call."),
    ("audit", "Who changed what."),
    ("health", "Whether a process works, and its numbers."),
)

_NAMED: Mapping[tuple[str, str], str] = {
    ("GET", "/healthz"): "isUp",
    ("GET", "/readyz"): "isReady",
    ("GET", "/metrics"): "showMetrics",
    ("POST", "/v1/bulk/cancel"): "cancelExecutions",
    ("POST", "/v1/bulk/move"): "moveExecutions",
    ("POST", "/v1/bulk/replay"): "replayExecutions",
    ("POST", "/v1/bulk/restore"): "restoreExecutions",
    ("POST", "/v1/check"): "checkExperience",
    ("POST", "/v1/simulate"): "simulateExperience",
    ("POST", "/v1/explain"): "explainInstant",
    ("POST", "/v1/preview"): "previewSchedule",
    ("POST", "/v1/executions/search"): "searchExecutions",
    ("POST", "/v1/visitors/{visitor_id}/events"): "sendEvent",
    ("GET", "/v1/visitors/{visitor_id}/why"): "explainVisitor",
    ("DELETE", "/v1/visitors/{visitor_id}"): "eraseVisitor",
    ("GET", "/v1/audit"): "listAudit",
    ("PATCH", "/v1/integrations/{name}/settings"): "changeIntegrationSettings",
    ("POST", "/v1/hold"): "holdDeliveries",
    ("POST", "/v1/resume"): "resumeDeliveries",
}
"""Where the rule of `operation_id` says it badly."""

_OF_ONE = {"GET": "show", "PUT": "put", "DELETE": "remove", "PATCH": "change"}


def operation_id(route: APIRoute) -> str:
    """What an operation is called: `listExecutions`, `showExecution`, `activateRelease`."""
    method = min(route.methods or {"GET"})
    if (method, route.path) in _NAMED:
        return _NAMED[method, route.path]
    *before, last = route.path.removeprefix("/v1").strip("/").split("/")
    things = [part for part in before if not part.startswith("{")]
    if last.startswith("{"):
        return _OF_ONE.get(method, method.lower()) + _one(things[-1])
    if method == "GET" and (not before or last.endswith("s")):
        return "list" + _word(last)
    if method == "POST" and last.endswith("s"):
        return "create" + _one(last)
    return _word(last)[0].lower() + _word(last)[1:] + (_one(things[-1]) if things else "")


def _one(things: str) -> str:
    return _word(things.removesuffix("s"))


def _word(text: str) -> str:
    return "".join(part.capitalize() for part in re.split(r"[^a-z0-9]+", text))


def add_document(web: FastAPI) -> None:
    """Serve the document at /v1/openapi.json, with what FastAPI does not put into it."""
    usual = web.openapi

    def openapi() -> dict[str, Any]:
        document = usual()
        schemas = document.setdefault("components", {}).setdefault("schemas", {})
        schemas.setdefault("Problem", Problem.model_json_schema())
        for name, example in BODIES.items():
            schemas[name].setdefault("examples", [example])
        return document

    web.openapi = openapi  # type: ignore[method-assign]  # as FastAPI's documentation has it

    @web.get("/v1/openapi.json", include_in_schema=False)
    async def document(request: Request) -> Document:
        return Document(served_document(request))


def served_document(request: Request) -> dict[str, Any]:
    """The document as this request may be told it: with the address that it is served below."""
    web: FastAPI = request.app
    return web.openapi() | {"servers": [{"url": path_prefix(request.scope) or "/"}]}
