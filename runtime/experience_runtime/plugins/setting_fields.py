"""Setting fields: how people type each setting of an integration, and what they typed, read."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from pydantic import BaseModel

from experience_runtime.domain.errors import InvalidParameter
from experience_runtime.domain.values import refuse_constant, shown
from experience_runtime.plugins.setting_states import top_names
from experience_runtime.settings.redaction import is_secrets_name
from experience_runtime.untrusted import foreign

_MOST_CHOICES = 50


class FieldKind(StrEnum):
    """What is typed into a field."""

    TEXT = "text"
    NUMBER = "number"
    SWITCH = "switch"
    CHOICE = "choice"
    JSON = "json"


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingField:
    """One setting as it is typed. `is_secret`: it is not shown while it is typed either. `about`: what its
    author says of it; `usual`: its default, or the shape of its JSON; `value`: what may be shown of it.

    A text may be a secret, and is never shown; a number, a switch and a choice are, unless the name says what
    a secret's would.
    """

    name: str
    kind: FieldKind
    required: bool
    is_set: bool
    is_secret: bool = False
    choices: Sequence[str] = ()
    about: str = ""
    usual: str = ""
    value: str = ""


def setting_fields(model: type[BaseModel] | None, table: Mapping[str, Any]) -> list[SettingField]:
    """The fields of a model in its order, with what of `table` may be shown."""
    if model is None:
        return []
    properties = _properties(model)
    return [
        _field(name, properties.get(name, {}), required=field.is_required(), table=table)
        for name, field in top_names(model)
    ]


def read_typed(field: SettingField, text: str) -> Any:
    """The value of a field as somebody typed it. Raises InvalidParameter, which never shows a text."""
    match field.kind:
        case FieldKind.TEXT:
            return text
        case FieldKind.SWITCH if text.strip().lower() in ("true", "false"):
            return text.strip().lower() == "true"
        case FieldKind.CHOICE:
            return text.strip()
        case FieldKind.NUMBER:
            return _number(field, text)
        case FieldKind.SWITCH:
            raise InvalidParameter(f"{field.name} must be true or false")
    if not text.lstrip().startswith(("{", "[", '"')):
        return text
    try:
        return json.loads(text, parse_constant=refuse_constant)
    except (ValueError, RecursionError):
        raise InvalidParameter(f'{field.name} is no JSON; write for instance {{"name": "value"}}') from None


def _number(field: SettingField, text: str) -> Any:
    try:
        number = json.loads(text, parse_constant=refuse_constant)
    except (ValueError, RecursionError):
        number = None
    if isinstance(number, bool) or not isinstance(number, int | float):
        told = "" if is_secrets_name(field.name) else f" = {shown(text)}"
        raise InvalidParameter(f"{field.name}{told} must be a number; write for instance 100")
    return number


def _field(name: str, schema: Mapping[str, Any], *, required: bool, table: Mapping[str, Any]) -> SettingField:
    kind, choices = _kind(schema)
    may_show = kind not in (FieldKind.TEXT, FieldKind.JSON) and not is_secrets_name(name)
    about = schema.get("description", "")
    return SettingField(
        name=name,
        kind=kind,
        required=required,
        is_set=name in table,
        is_secret=schema.get("format") == "password" or is_secrets_name(name),
        choices=choices,
        about=about if isinstance(about, str) else "",
        usual=_shape(schema) if kind is FieldKind.JSON else _text(schema.get("default")) if may_show else "",
        value=_text(table.get(name)) if may_show else "",
    )


def _properties(model: type[BaseModel]) -> Mapping[str, Mapping[str, Any]]:
    with foreign():  # an author's own types may have no schema
        document = model.model_json_schema(by_alias=True)
        defined = document.get("$defs", {})
        return {name: _resolved(schema, defined) for name, schema in document.get("properties", {}).items()}
    return {}


def _resolved(schema: Mapping[str, Any], defined: Mapping[str, Any]) -> Mapping[str, Any]:
    """A schema without the null of what may be left out, and without a reference."""
    others = [each for each in schema.get("anyOf", []) if each.get("type") != "null"]
    if len(others) == 1:
        schema = {**others[0], **{key: value for key, value in schema.items() if key != "anyOf"}}
    reference = schema.get("$ref")
    if isinstance(reference, str):
        found = defined.get(reference.rpartition("/")[2], {})
        # what is said of the type is for those who write code with it
        of_type = {key: value for key, value in found.items() if key != "description"}
        schema = {**of_type, **{key: value for key, value in schema.items() if key != "$ref"}}
    return schema


def _kind(schema: Mapping[str, Any]) -> tuple[FieldKind, Sequence[str]]:
    choices = schema.get("enum")
    is_short = isinstance(choices, list) and len(choices) <= _MOST_CHOICES
    if isinstance(choices, list) and is_short and all(isinstance(each, str) for each in choices):
        return FieldKind.CHOICE, choices
    kinds = {
        "string": FieldKind.TEXT,
        "integer": FieldKind.NUMBER,
        "number": FieldKind.NUMBER,
        "boolean": FieldKind.SWITCH,
    }
    kind = schema.get("type")
    return kinds.get(kind, FieldKind.JSON) if isinstance(kind, str) else FieldKind.JSON, ()


def _shape(schema: Mapping[str, Any]) -> str:
    """What JSON of a schema looks like."""
    properties = schema.get("properties")
    if isinstance(properties, dict) and properties:
        return "{" + ", ".join(f'"{name}": …' for name in properties) + "}"
    return {"object": '{"name": "value"}', "array": '["…"]'}.get(str(schema.get("type")), "JSON")


def _text(value: object) -> str:
    match value:
        case None:
            return ""
        case str():
            return value
        case _:
            return json.dumps(value, default=str)
