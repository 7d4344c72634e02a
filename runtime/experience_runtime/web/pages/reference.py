"""/docs: the OpenAPI document as a page, and what else speaks HTTP here. For anybody, as the document is."""

import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from experience_runtime.domain.errors import ExperienceError
from experience_runtime.web.api.document import served_document
from experience_runtime.web.guard.access import access_of
from experience_runtime.web.pages.rendering import GivenRendering

HERE = "/docs"

WIRE = (
    ("POST", "/integrations/{encoded_id}", "gateway", '{"data": payload, "key", "timeout", "meta"}'),
    ("POST", "/integrations/defer/{encoded_id}", "gateway", '{"data": payload, "delay" …, "meta"}'),
    ("POST", "/integrations/cancel/{encoded_id}", "gateway", '{"key", "reason", "meta"}'),
    ("POST", "/integrations/conversion", "gateway", '{"visitorId"}'),
    ("POST", "/csml/apps", "CSML", '{"function_id": "utils/scheduler", "data", "client"}'),
    ("GET", "/visitor.js", "snippet", ""),
    ("POST", "/visitors/events", "snippet", '{"visitor", "timezone", "timezone_offset", "items"}'),
    (
        "POST",
        "/visitors/run/{name}",
        "snippet",
        '{"visitor", "timezone", "data", "browser", "events", "state"}',
    ),
)
"""What other clients speak: method, path, whose it is, and the body."""

router = APIRouter(include_in_schema=False)


@router.get(HERE)
def reference(request: Request, rendering: GivenRendering) -> Response:
    with suppress(ExperienceError):  # who is signed in sees the way to the other pages
        access_of(request).caller(request)
    document = served_document(request)
    return rendering.page(
        request, "reference.html", here=HERE, about=document["info"], groups=_groups(document), wire=WIRE
    )


def _groups(document: Mapping[str, Any]) -> list[dict[str, Any]]:
    operations = [
        _operation(document, method.upper(), path, operation)
        for path, item in document["paths"].items()
        for method, operation in item.items()
    ]
    return [
        {**tag, "operations": [each for each in operations if each["tag"] == tag["name"]]}
        for tag in document["tags"]
    ]


def _operation(
    document: Mapping[str, Any], method: str, path: str, operation: Mapping[str, Any]
) -> dict[str, Any]:
    body = _body(document, operation)
    answered = [
        (status, answer["description"], _example(answer)) for status, answer in operation["responses"].items()
    ]
    return {
        "id": operation["operationId"],
        "tag": operation["tags"][0],
        "method": method,
        "path": path,
        "summary": operation["summary"],
        "description": operation.get("description", ""),
        "parameters": [
            _field(each["name"], each["schema"], each) for each in operation.get("parameters", [])
        ],
        "body": None if body is None else list(_fields(body)),
        "example": None if body is None else next(iter(body.get("examples", [])), None),
        "answer": next((each for each in answered if each[0].startswith("2")), None),
        "problems": [(status, said) for status, said, _ in answered if not status.startswith("2")],
    }


def _body(document: Mapping[str, Any], operation: Mapping[str, Any]) -> Mapping[str, Any] | None:
    content = operation.get("requestBody", {}).get("content", {}).get("application/json")
    return None if content is None else _resolved(document, content["schema"])


def _example(answer: Mapping[str, Any]) -> Any:
    return next((each.get("example") for each in answer.get("content", {}).values()), None)


def _resolved(document: Mapping[str, Any], schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """The schema itself, where it is named, or may be null as well."""
    for each in (schema, *schema.get("anyOf", [])):
        if "$ref" in each:
            found: Mapping[str, Any] = document["components"]["schemas"][each["$ref"].rpartition("/")[2]]
            return found
    return schema


def _fields(schema: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    required = schema.get("required", [])
    for name, field in schema.get("properties", {}).items():
        yield _field(name, field, {**field, "required": name in required})


def _field(name: str, schema: Mapping[str, Any], told: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "name": name,
        "place": told.get("in", ""),
        "required": bool(told.get("required")),
        "type": _type(schema),
        "description": told.get("description") or schema.get("description", ""),
    }


def _type(schema: Mapping[str, Any]) -> str:
    if "$ref" in schema:
        return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", schema["$ref"].rpartition("/")[2]).lower()
    if "enum" in schema:
        return ", ".join(f"{each}" for each in schema["enum"])
    if "const" in schema:
        return str(schema["const"])
    if "anyOf" in schema:
        return " or ".join(_type(each) for each in schema["anyOf"])
    if schema.get("type") == "array":
        return f"list of {_type(schema.get('items', {}))}"
    return str(schema.get("format") or schema.get("type") or "any JSON value")
