"""Errors of a story's form, in its author's terms: the path, what stands there, the rule, the near miss."""

from collections.abc import Mapping, Sequence
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

from experience_runtime.domain.values import nearest, shown

_KINDS = {
    "string_type": "a string",
    "int_type": "a whole number",
    "float_type": "a number",
    "bool_type": "true or false",
    "tuple_type": "a list: [ … ]",
    "mapping_type": "an object: { … }",
    "dict_type": "an object: { … }",
    "model_type": "an object: { … }",
    "model_attributes_type": "an object: { … }",
}
_ELSEWHERE = {
    "holidays": "no calendar of holidays is known: hand the days to the code as data of the run",
    "caps": "no cap of a visitor is known: the code counts, and expect with count proves it",
    "release": "a story is played with the files beside it, or with the PATH that simulate is given",
    "browser": "a browser belongs to a run: write it into a step",
    "state": "a state belongs to a visitor or a run: write it there",
    "cookies": "cookies belong to a run: write them into a step",
    "variation": "the variation is the whole story's: write it at the top",
}
"""What authors look for in a place that has none, and where it is."""

_UNION = 'a duration such as "2 hours", or a whole number of milliseconds'


def first_error(error: ValidationError, model: type[BaseModel], content: object) -> str:
    """Tell the first thing that is wrong with `content`, which is no `model`."""
    first = error.errors(include_url=False)[0]
    place, value = _walk(first["loc"], content)
    where = place or "the story"
    match first["type"]:
        case "extra_forbidden":
            fields = _fields(_model_at(model, first["loc"][:-1]))
            name = str(first["loc"][-1])
            if name in _ELSEWHERE and name not in fields:
                return f"{where} is not a field; {_ELSEWHERE[name]}"
            meant = nearest(name, fields)
            hint = f'did you mean "{meant}"?' if meant else f"the fields are {', '.join(fields)}"
            return f"{where} is not a field; {hint}"
        case "missing":
            fields = _fields(_model_at(model, first["loc"][:-1]))
            return f"{where} is missing; the fields are {', '.join(fields)}"
        case "union_tag_invalid" | "union_tag_not_found":
            kinds = (
                str(first.get("ctx", {}).get("expected_tags", "")).replace("'", "")
                or "run, emit, convert, cancel"
            )
            given = value.get("do") if isinstance(value, Mapping) else None
            if given is None:
                return f'{where} has no "do"; it is one of {kinds}'
            meant = nearest(str(given), kinds.split(", "), cutoff=0.5)
            hint = f'did you mean "{meant}"?' if meant else f"it is one of {kinds}"
            return f"{where}.do {shown(given)} is nothing that a step does; {hint}"
        case "enum" | "literal_error":
            kinds = str(first.get("ctx", {}).get("expected", "")).replace("'", "").replace(" or ", ", ")
            meant = nearest(str(value), kinds.split(", "), cutoff=0.5)
            hint = f'did you mean "{meant}"?' if meant else f"it is one of {kinds}"
            return f"{where} {shown(value)} is not known; {hint}"
        case "value_error":
            return f"{where}: {first['ctx']['error']}"
        case _ if first["loc"] and first["loc"][-1] in ("str", "int"):  # one of several forms
            return f"{where} {shown(value)} is not {_UNION}"
        case kind:
            rule = _KINDS.get(kind, first["msg"].lower().removeprefix("input should be "))
            if kind == "model_type":
                rule += f" with {', '.join(_fields(_model_at(model, first['loc'])))}"
            return f"{where} {shown(value)} is not {rule}"


def _walk(loc: Sequence[int | str], content: object) -> tuple[str, Any]:
    """The place as an author writes it (`expect[0].status`), and what stands there.

    A location of pydantic's also names the alternatives that it tried; no value stands at those.
    """
    place, value = "", content
    for index, part in enumerate(loc):
        is_last = index == len(loc) - 1
        if isinstance(part, int) and isinstance(value, list) and part < len(value):
            place, value = f"{place}[{part}]", value[part]
        elif isinstance(value, Mapping) and (part in value or (is_last and not _is_tag(part, value))):
            place, value = f"{place}.{part}".lstrip("."), value.get(str(part))
    return place, value


def _is_tag(part: int | str, value: Mapping[Any, Any]) -> bool:
    return value.get("do") == part


def _model_at(model: type[BaseModel], loc: Sequence[int | str]) -> type[BaseModel]:
    """The model that a location lies in; of several, the one whose `do` the location names."""
    choices = [model]
    for part in loc:
        if tagged := [each for each in choices if "do" in each.model_fields and part in _tags(each)]:
            choices = tagged
            continue
        fields = {field.alias or name: field for each in choices for name, field in each.model_fields.items()}
        if part in fields and (inner := _models(fields[str(part)].annotation)):
            choices = inner
    return choices[0]


def _tags(model: type[BaseModel]) -> tuple[object, ...]:
    return get_args(model.model_fields["do"].annotation)


def _models(kind: object) -> list[type[BaseModel]]:
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return [kind]
    return [model for inner in get_args(kind) for model in _models(inner)]


def _fields(model: type[BaseModel]) -> list[str]:
    return [field.alias or name for name, field in model.model_fields.items()]
