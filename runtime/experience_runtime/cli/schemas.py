"""Schemas: the form of story.json, package.json and experience.toml, and the types of the code."""

import json
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from experience_runtime.cli.typescript import payload_type
from experience_runtime.domain.errors import InvalidParameter
from experience_runtime.domain.retention import KINDS
from experience_runtime.plugins.registry import Registry
from experience_runtime.settings.alerts import ALERT_SETTINGS
from experience_runtime.settings.delivery import POLICY_SETTINGS
from experience_runtime.settings.load import OUTBOUND_SETTINGS, TOP_SETTINGS
from experience_runtime.settings.serving import SERVE_SETTINGS
from experience_runtime.settings.webhooks import WEBHOOK_SETTINGS
from experience_runtime.simulation.story import Story

FILES = {
    "experience": "experience.d.ts",
    "story": "story.schema.json",
    "package": "package.schema.json",
    "settings": "experience.schema.json",
}
"""What there is, and the file that it is written to."""

_HERE = Path(__file__).with_name("typings")
_DRAFT = "https://json-schema.org/draft/2020-12/schema"
_TEXTS = {"type": "array", "items": {"type": "string"}}
_TYPES: dict[str, Any] = {
    "database": {"type": "string"},
    "integrations_dir": {"type": "string"},
    "conversions": _TEXTS,
    "allow_private": _TEXTS,
    "trusted_proxies": _TEXTS,
    "drafts": {"type": "string"},
    "snippet_path": {"type": "string"},
    "public_url": {"type": "string"},
    "settings": {"enum": ["file", "database"]},
    "integration": {"type": "string"},
    "on": _TEXTS,
    "every": {"type": "string"},
    "url": {"type": "string"},
    "secret": {"type": "string"},
    "headers": {"type": "object", "additionalProperties": {"type": "string"}},
    "payload": {},
    "isolate": {"type": "boolean"},
    "authors_may_release": {"type": "boolean"},
    **{kind: {"type": "string"} for kind in KINDS},
    "experiences": {"type": "object", "additionalProperties": {"type": "string"}},
}


def text_of(what: str, registry: Registry) -> str:
    """The text of one of FILES, for the integrations of a registry."""
    match what:
        case "experience":
            return _declarations(registry)
        case "story":
            return _json({"$schema": _DRAFT, **Story.model_json_schema(by_alias=True), "title": "A story"})
        case "package":
            return (_HERE / "package.schema.json").read_text(encoding="utf-8")
        case _:
            return _json(_settings(registry))


def _declarations(registry: Registry) -> str:
    text = (_HERE / "experience.d.ts").read_text(encoding="utf-8")
    lines = [f"  {json.dumps(name)}: {_payload(registry, name)}" for name in registry.names()]
    return text.replace("@INTEGRATIONS@", "\n".join(lines))


def _payload(registry: Registry, name: str) -> str:
    try:
        kind = registry.get(name).payload
        return "any" if kind is None else payload_type(kind.model_json_schema())
    except InvalidParameter:  # a broken integration is told of where it is used
        return "any"


def _settings(registry: Registry) -> dict[str, Any]:
    tables: dict[str, Any] = {
        "outbound": _table(OUTBOUND_SETTINGS),
        "retention": _table(KINDS),
        "serve": _table(SERVE_SETTINGS),
        "delivery": {"type": "object", "additionalProperties": _table(POLICY_SETTINGS)},
        "alerts": {"type": "object", "additionalProperties": _table(ALERT_SETTINGS)},
        "webhooks": {
            "type": "object",
            "additionalProperties": _table(WEBHOOK_SETTINGS, integrations=_TEXTS),
        },
        "csml": {"type": "object"},
        "integrations": {
            "type": "object",
            "properties": {name: _integration(registry, name) for name in registry.names()},
            "additionalProperties": {"type": "object"},
        },
    }
    known = {name: tables.get(name) or _TYPES[name] for name in TOP_SETTINGS}
    return {
        "$schema": _DRAFT,
        "title": "experience.toml",
        "type": "object",
        "properties": known,
        "additionalProperties": False,
    }


def _table(names: Any, **own: dict[str, Any]) -> dict[str, Any]:
    fields = {name: own.get(name) or _TYPES.get(name, {"type": "integer"}) for name in names}
    return {"type": "object", "properties": fields, "additionalProperties": False}


def _integration(registry: Registry, name: str) -> dict[str, Any]:
    try:
        kind: type[BaseModel] | None = registry.get(name).settings
    except InvalidParameter:
        kind = None
    fields = [] if kind is None else list(kind.model_fields)
    # a value may also be a reference to a variable, so only the names are told
    return {"type": "object", "properties": {each: {} for each in (*fields, "site")}}


def _json(document: dict[str, Any]) -> str:
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"
