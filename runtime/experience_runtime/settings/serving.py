"""Served: what the settings say about `experience serve`, read: `[serve]`, `[experiences]`, `site = true`."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from experience_runtime.domain.errors import InvalidParameter
from experience_runtime.domain.values import nearest, shown, whole_number
from experience_runtime.settings.networks import Network, read_network

EXPERIENCE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}")

BOUNDS = {
    "per_second": (0, 1_000_000),
    "per_address": (0, 1_000_000),
    "largest_body_kib": (1, 65_536),
    "pending_per_key": (0, 1_000_000_000),
    "visitors_per_key": (0, 1_000_000_000),
    "events_per_key": (0, 1_000_000_000),
    "connections_per_address": (0, 100_000),
}
SERVE_SETTINGS = (
    "authors_may_release",
    "drafts",
    "settings",
    "snippet_path",
    "trusted_proxies",
    "public_url",
    *BOUNDS,
)
_SNIPPET_PATH = re.compile(r"(?:/[A-Za-z0-9_-]+)+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """What may be run and called from outside.

    `released`: the experiences that sites may run, by name. `drafts`: a folder whose folders and `.js` files
    authors may run as well. `authors_may_release`: whether they may release, as operators may. `sites`: the
    integrations that sites may call. `per_second`: requests a token may
    make, 0 for any number; `per_address`: those of a site key from
    one address. `connections_per_address`: how many one address may keep open, 0 for any number.
    `pending_per_key`: how many executions of a site's key may be pending; `visitors_per_key` and
    `events_per_key`: how many new ones it may tell of in a day, 0 for any number.
    `snippet_path`: what the script for sites is served as, besides `/visitor`.
    `trusted_proxies`: whose word is taken on who asks, under which name, and below which path.
    `public_url`: where people open the pages, without a slash at its end.
    `settings_in_database`: whether operators may type the settings of integrations that the file has none of.
    """

    released: Mapping[str, Path] = field(default_factory=dict)
    drafts: Path | None = None
    authors_may_release: bool = False
    sites: frozenset[str] = frozenset()
    per_second: int = 100
    per_address: int = 20
    snippet_path: str = "/visitor"
    largest_body_kib: int = 512
    pending_per_key: int = 100_000
    visitors_per_key: int = 100_000
    events_per_key: int = 1_000_000
    connections_per_address: int = 100
    trusted_proxies: tuple[Network, ...] = ()
    public_url: str | None = None
    settings_in_database: bool = False


def read_served(
    serve: Mapping[str, Any],
    experiences: Mapping[str, Any],
    sites: frozenset[str],
    *,
    where: str,
) -> Served:
    """Read the tables `[serve]` and `[experiences]`; `where` names the file in a refusal."""
    for key in serve:
        if key not in SERVE_SETTINGS:
            meant = nearest(key, SERVE_SETTINGS)
            hint = f'did you mean "{meant}"?' if meant else f"known are: {', '.join(SERVE_SETTINGS)}"
            if key in ("host", "port"):
                hint = f"it is an option of the command: experience serve --{key}"
            raise InvalidParameter(f'{where}: "serve.{key}" is not a setting; {hint}')
    drafts = serve.get("drafts")
    if drafts is not None and (not isinstance(drafts, str) or not drafts):
        raise InvalidParameter(
            f'{where}: serve.drafts = {shown(drafts)} must name a folder; write drafts = "experiences"'
        )
    may_release = serve.get("authors_may_release", False)
    if not isinstance(may_release, bool):
        raise InvalidParameter(
            f"{where}: serve.authors_may_release = {shown(may_release)} must be true or false; "
            "write authors_may_release = true"
        )
    numbers = {key: _number(key, serve[key], where) for key in BOUNDS if key in serve}
    return Served(
        released={name: _released(name, folder, where) for name, folder in experiences.items()},
        drafts=None if drafts is None else Path(drafts),
        authors_may_release=may_release,
        sites=sites,
        snippet_path=_snippet_path(serve.get("snippet_path", "/visitor"), where),
        trusted_proxies=tuple(
            read_network(text, where=f"{where}: serve.trusted_proxies")
            for text in _texts("trusted_proxies", serve, where)
        ),
        public_url=_public_url(serve.get("public_url"), where),
        settings_in_database=_in_database(serve.get("settings", "file"), where),
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


def _snippet_path(path: object, where: str) -> str:
    if not isinstance(path, str) or not _SNIPPET_PATH.fullmatch(path) or len(path) > 100:
        raise InvalidParameter(
            f"{where}: serve.snippet_path = {shown(path)} is not one; write what stands before .js in the "
            'script\'s address, in letters, digits, - and _: snippet_path = "/assets/shop"'
        )
    return path


def _public_url(url: object, where: str) -> str | None:
    if url is None:
        return None
    try:
        if not isinstance(url, str):
            raise ValueError
        parts = urlsplit(url)
        is_one = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
        is_one = is_one and not (parts.query or parts.fragment or parts.username or parts.password)
    except ValueError:  # also a port that is no number
        is_one = False
    if not is_one or not isinstance(url, str) or not re.fullmatch(r"[!-~]{1,200}", url):
        # not shown: it may hold a password
        raise InvalidParameter(
            f"{where}: serve.public_url is not the address of the pages; write scheme, name and path only: "
            'public_url = "https://runtime.example"'
        )
    return url.rstrip("/")


def _in_database(place: object, where: str) -> bool:
    if place not in ("file", "database"):
        raise InvalidParameter(
            f'{where}: serve.settings = {shown(place)} must be "file" or "database"; '
            'write settings = "database" to let operators type them'
        )
    return place == "database"


def _texts(key: str, serve: Mapping[str, Any], where: str) -> list[str]:
    value = serve.get(key, [])
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise InvalidParameter(
            f'{where}: serve.{key} = {shown(value)} must be a list of strings; write {key} = ["127.0.0.1"]'
        )
    return value


def _number(key: str, value: object, where: str) -> int:
    least, most = BOUNDS[key]
    number = whole_number(value)
    if number is None or not least <= number <= most:
        raise InvalidParameter(
            f"{where}: serve.{key} = {shown(value)} must be a whole number from {least} to {most};"
            f" write for instance {key} = 100"
        )
    return number
