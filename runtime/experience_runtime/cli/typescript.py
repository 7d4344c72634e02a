"""TypeScript: what an integration may be sent, from the JSON schema of its payload."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

_PLAIN = {"string": "string", "integer": "number", "number": "number", "boolean": "boolean", "null": "null"}
_DEEPEST = 8


def payload_type(schema: Mapping[str, Any]) -> str:
    """Spell a JSON schema as a type; what has no counterpart is `any`."""
    return _type(schema, schema.get("$defs", {}), 0)


def _type(schema: object, named: Mapping[str, Any], depth: int) -> str:
    if not isinstance(schema, Mapping) or depth > _DEEPEST:
        return "any"
    if isinstance(name := schema.get("$ref"), str):
        return _type(named.get(name.rpartition("/")[2]), named, depth + 1)
    if "const" in schema:
        return _literal(schema["const"])
    if isinstance(values := schema.get("enum"), list):
        return " | ".join(_literal(value) for value in values) or "never"
    for choice in ("anyOf", "oneOf"):
        if isinstance(kinds := schema.get(choice), list):
            return _one_of([_type(kind, named, depth + 1) for kind in kinds])
    kind = schema.get("type")
    if isinstance(kind, list):
        return _one_of([_type({**schema, "type": each}, named, depth + 1) for each in kind])
    if kind == "array":
        return f"Array<{_type(schema.get('items'), named, depth + 1)}>"
    if kind == "object":
        return _object(schema, named, depth)
    return _PLAIN.get(str(kind), "any")


def _object(schema: Mapping[str, Any], named: Mapping[str, Any], depth: int) -> str:
    needed = schema.get("required", ())
    fields = [
        f"{json.dumps(name)}{'' if name in needed else '?'}: {_type(field, named, depth + 1)}"
        for name, field in schema.get("properties", {}).items()
    ]
    others = schema.get("additionalProperties", not fields)
    if others:
        # every named member has to fit the type of the others
        fields.append("[name: string]: any")
    return "{ " + ", ".join(fields) + " }" if fields else "{}"


def _one_of(kinds: Sequence[str]) -> str:
    return (
        "any"
        if "any" in kinds
        else " | ".join(dict.fromkeys(f"({kind})" if "=>" in kind else kind for kind in kinds))
    )


def _literal(value: object) -> str:
    return json.dumps(value) if isinstance(value, str | int | float | bool) or value is None else "any"
