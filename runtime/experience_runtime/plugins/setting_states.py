"""Setting states: which settings a model takes, by which names, and which of them are given."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pydantic import AliasChoices, AliasPath, BaseModel
from pydantic.fields import FieldInfo

from experience_runtime.domain.catalogue import SettingState
from experience_runtime.domain.values import nearest
from experience_runtime.settings.references import Missing

_Path = tuple[str | int, ...]


def setting_states(
    model: type[BaseModel] | None, table: Mapping[str, object], missing: Mapping[str, Missing]
) -> list[SettingState]:
    """Each setting as set or not set, in the model's order; then what is given and not known.

    `missing` maps the path of a reference (`headers.authorization`) to what it names and is not there. A
    `model` of None takes nothing.
    """
    states, known = [], set()
    for name, field in ({} if model is None else model.model_fields).items():
        paths = _paths(name, field, model)
        known |= {str(path[0]) for path in paths}
        absent = next(
            (each for path in paths for at, each in missing.items() if _is_below(at, _spelled(path))), None
        )
        states.append(
            SettingState(
                name=_spelled(paths[0]),
                required=field.is_required(),
                is_set=absent is None and any(_is_given(table, path) for path in paths),
                missing_variable=absent.variable if absent else None,
                missing_file=absent.file if absent else None,
            )
        )
    takes_all = model is not None and model.model_config.get("extra") == "allow"
    top = [*table, *(at for at in missing if "." not in at and "[" not in at)]
    states += [
        SettingState(
            name=name,
            required=False,
            is_set=name in table,
            missing_variable=missing[name].variable if name in missing else None,
            missing_file=missing[name].file if name in missing else None,
            known=takes_all,
        )
        for name in top
        if name not in known
    ]
    return states


def top_names(model: type[BaseModel]) -> Iterator[tuple[str, FieldInfo]]:
    """Each field with the name that people write of it, or of the table that it stands in; each name once."""
    seen = set()
    for name, field in model.model_fields.items():
        top = str(_paths(name, field, model)[0][0])
        if top not in seen:
            seen.add(top)
            yield top, field


def unknown_settings(table: Mapping[str, object], model: type[BaseModel]) -> Iterator[tuple[str, str]]:
    """Say of each setting that is given and that no model has, which one is meant."""
    if model.model_config.get("extra") == "allow":
        return
    known = [
        str(path[0]) for name, field in model.model_fields.items() for path in _paths(name, field, model)
    ]
    for key in table:
        if key not in known:
            close = nearest(key, known, cutoff=0.6)
            hint = f'did you mean "{close}"?' if close else f"known are: {', '.join(known) or 'none'}"
            yield key, f'"{key[:100]}" is not a setting of it; {hint}'


def _paths(name: str, field: FieldInfo, model: type[BaseModel] | None) -> Sequence[_Path]:
    """Where pydantic looks for a field, the name that people write first."""
    alias = field.validation_alias
    choices = alias.choices if isinstance(alias, AliasChoices) else [] if alias is None else [alias]
    paths = [tuple(each.path) if isinstance(each, AliasPath) else (each,) for each in choices]
    config: Mapping[str, Any] = {} if model is None else model.model_config
    by_name = config.get("validate_by_name") or config.get("populate_by_name")
    by_alias = config.get("validate_by_alias", True)
    if not by_alias:
        return [(name,)]
    return [*paths, *([(name,)] if by_name or not paths else [])]


def _is_given(table: Mapping[str, object], path: _Path) -> bool:
    here: Any = table
    for part in path:
        try:
            here = here[part]
        except (LookupError, TypeError):
            return False
    return True


def _is_below(at: str, path: str) -> bool:
    """Whether a reference's path is a setting's own, or stands inside of it."""
    return at == path or at.startswith((f"{path}.", f"{path}["))


def _spelled(path: _Path) -> str:
    """A path as messages and the settings' references have it: `headers.x`, `tokens[0]`."""
    text = str(path[0])
    return text + "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path[1:])
