"""Served: what the settings say about `experience serve`, read: `[serve]`, `[experiences]`, `site = true`."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from experience_runtime.domain.errors import InvalidParameter
from experience_runtime.domain.values import nearest, shown, whole_number

EXPERIENCE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}")

_BOUNDS = {"per_second": (0, 1_000_000), "largest_body_kib": (1, 65_536)}
_KEYS = ("drafts", *_BOUNDS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """What may be run and called from outside.

    `released`: the experiences that sites may run, by name. `drafts`: a folder whose folders and `.js` files
    authors may run as well. `sites`: the integrations that sites may call. `per_second`: requests a token may
    make, 0 for any number.
    """

    released: Mapping[str, Path] = field(default_factory=dict)
    drafts: Path | None = None
    sites: frozenset[str] = frozenset()
    per_second: int = 100
    largest_body_kib: int = 512


def read_served(
    serve: Mapping[str, Any], experiences: Mapping[str, Any], sites: frozenset[str], *, where: str
) -> Served:
    """Read the tables `[serve]` and `[experiences]`; `where` names the file in a refusal."""
    for key in serve:
        if key not in _KEYS:
            meant = nearest(key, _KEYS)
            hint = f'did you mean "{meant}"?' if meant else f"known are: {', '.join(_KEYS)}"
            raise InvalidParameter(f'{where}: "serve.{key}" is not a setting; {hint}')
    drafts = serve.get("drafts")
    if drafts is not None and (not isinstance(drafts, str) or not drafts):
        raise InvalidParameter(
            f'{where}: serve.drafts = {shown(drafts)} must name a folder; write drafts = "experiences"'
        )
    numbers = {key: _number(key, serve[key], where) for key in _BOUNDS if key in serve}
    return Served(
        released={name: _released(name, folder, where) for name, folder in experiences.items()},
        drafts=None if drafts is None else Path(drafts),
        sites=sites,
        **numbers,
    )


def take_site(table: dict[str, Any], *, where: str) -> bool:
    """Take the mark `site` out of an integration's table: it is ours, not a setting of the integration."""
    mark = table.pop("site", False)
    if isinstance(mark, str) and mark.lower() in ("true", "false"):  # as the environment gives it
        return mark.lower() == "true"
    if not isinstance(mark, bool):
        raise InvalidParameter(f"{where}.site = {shown(mark)} must be true or false; write site = true")
    return mark


def _released(name: str, folder: object, where: str) -> Path:
    if not EXPERIENCE_NAME.fullmatch(name):
        raise InvalidParameter(
            f"{where}: experiences.{shown(name)} cannot be the name of an experience; use up to 100 letters, "
            "digits, - and _"
        )
    if not isinstance(folder, str) or not folder:
        raise InvalidParameter(
            f'{where}: experiences.{name} = {shown(folder)} must name a folder; write {name} = "folder"'
        )
    return Path(folder)


def _number(key: str, value: object, where: str) -> int:
    least, most = _BOUNDS[key]
    number = whole_number(value)
    if number is None or not least <= number <= most:
        raise InvalidParameter(
            f"{where}: serve.{key} = {shown(value)} must be a whole number from {least} to {most};"
            f" write for instance {key} = 100"
        )
    return number
