"""Environment: a variable for every key of experience.toml; what begins like one and is none is refused.

`EXPERIENCE_SERVE_PER_SECOND` is `per_second` of `[serve]`. Tables that somebody names have two underscores
before and after the name: `EXPERIENCE_DELIVERY__SLACK_UPDATE__CONCURRENCY`.
"""

import copy
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

from experience_runtime.domain import clients
from experience_runtime.domain.errors import InvalidParameter
from experience_runtime.domain.retention import KINDS
from experience_runtime.domain.values import nearest
from experience_runtime.settings.alerts import ALERT_SETTINGS
from experience_runtime.settings.delivery import POLICY_BOUNDS, POLICY_SETTINGS
from experience_runtime.settings.serving import BOUNDS
from experience_runtime.settings.stored import SETTINGS_KEY as SETTINGS_KEY
from experience_runtime.settings.webhooks import WEBHOOK_SETTINGS

CONFIG = "EXPERIENCE_CONFIG"
TOKEN = "EXPERIENCE_TOKEN"
"""Of the commands that ask a server, and no setting."""
OLDER_NAMES: Mapping[str, str] = {"EXPERIENCE_INTEGRATIONS": "EXPERIENCE_INTEGRATIONS_DIR"}
INTEGRATION = "EXPERIENCE_INTEGRATION__"

_PREFIX = "EXPERIENCE_"
# Kubernetes tells every pod of a service named "experience…" so.
_OF_KUBERNETES = re.compile(
    r"\w+_(SERVICE_HOST=|SERVICE_PORT(_\w+)?=|PORT(_\d+_(TCP|UDP|SCTP)(_\w+)?=|=(tcp|udp|sctp)://)).*",
    re.DOTALL,
)


class Kind(Enum):
    """How the text of a variable is read."""

    TEXT = "text"
    TEXTS = "texts, separated by commas"
    NUMBER = "a whole number"
    FLAG = "true or false"


KEYS: Mapping[str, Kind] = {
    "database": Kind.TEXT,
    "integrations_dir": Kind.TEXT,
    "conversions": Kind.TEXTS,
    "outbound.allow_private": Kind.TEXTS,
    "serve.authors_may_release": Kind.FLAG,
    "serve.drafts": Kind.TEXT,
    "serve.settings": Kind.TEXT,
    "serve.snippet_path": Kind.TEXT,
    "serve.trusted_proxies": Kind.TEXTS,
    "serve.public_url": Kind.TEXT,
    **{f"serve.{key}": Kind.NUMBER for key in BOUNDS},
    **{f"retention.{kind}": Kind.TEXT for kind in KINDS},
    **{f"csml.client.{name}": Kind.TEXT for name in clients.FIELDS},
}
"""The keys that have one variable each; `variable` names it."""

NAMED: Mapping[str, tuple[str, Mapping[str, Kind] | Kind]] = {
    INTEGRATION: ("integrations", {}),
    "EXPERIENCE_DELIVERY__": (
        "delivery",
        {key: Kind.NUMBER if key in POLICY_BOUNDS else Kind.FLAG for key in POLICY_SETTINGS},
    ),
    "EXPERIENCE_ALERTS__": (
        "alerts",
        {key: Kind.TEXTS if key == "on" else Kind.TEXT for key in ALERT_SETTINGS},
    ),
    "EXPERIENCE_WEBHOOKS__": (
        "webhooks",
        {key: Kind.TEXTS if key in ("on", "integrations") else Kind.TEXT for key in WEBHOOK_SETTINGS},
    ),
    "EXPERIENCE_EXPERIENCES__": ("experiences", Kind.TEXT),
}
"""The tables whose keys somebody names: what their variables begin with, the table, the kinds of its keys.

A table of one kind has no keys below the name. What has no kind is text.
"""

_EXAMPLES = {
    "integrations": "SLACK_UPDATE__URL",
    "delivery": "SLACK_UPDATE__CONCURRENCY",
    "alerts": "OPS__INTEGRATION",
    "webhooks": "CRM__URL",
    "experiences": "REMINDER",
}


def variable(key: str) -> str:
    """The variable of a key: `serve.per_second` is `EXPERIENCE_SERVE_PER_SECOND`."""
    return _PREFIX + key.replace(".", "_").upper()


@dataclass(frozen=True, slots=True)
class Overlaid:
    """The values of a file with those of the environment over them, and which table has variables."""

    values: Mapping[str, Any]
    variables: Mapping[str, tuple[str, ...]]


def overlaid(values: Mapping[str, Any], env: Mapping[str, str]) -> Overlaid:
    """Put what the environment says over the values of a file.

    Raises InvalidParameter for a variable that is none of ours, with the one that is meant, and for a text
    that cannot be read; a value is not shown, it may be a secret.
    """
    merged: dict[str, Any] = copy.deepcopy(dict(values))
    variables: dict[str, list[str]] = {}
    fixed = {variable(key): key for key in KEYS}
    for name in sorted(each for each in env if each.startswith(_PREFIX)):
        known = OLDER_NAMES.get(name, name)
        if name in (CONFIG, TOKEN, SETTINGS_KEY) or (known != name and known in env):
            continue
        prefix = next((each for each in NAMED if name.startswith(each)), None)
        if prefix is not None:
            path, kind = _named(merged, name, prefix)
        elif known in fixed:
            path, kind = fixed[known].split("."), KEYS[fixed[known]]
        elif _OF_KUBERNETES.fullmatch(f"{name}={env[name]}"):
            continue
        else:
            raise _unknown(name, [CONFIG, SETTINGS_KEY, *OLDER_NAMES, *fixed])
        value = _read(name, env[name], kind)
        if value is not None:
            _put(merged, path, value)
            variables.setdefault(path[0], []).append(name)
    return Overlaid(merged, {table: tuple(names) for table, names in variables.items()})


def _named(values: Mapping[str, Any], name: str, prefix: str) -> tuple[list[str], Kind]:
    """What EXPERIENCE_INTEGRATION__SLACK_UPDATE__URL means: `integrations`, `slack-update`, `url`."""
    table, kinds = NAMED[prefix]
    own, *path = name.removeprefix(prefix).lower().split("__")
    if not own or not all(path) or (isinstance(kinds, Kind) == bool(path)):
        shape = "NAME" if isinstance(kinds, Kind) else "NAME__SETTING"
        example = _EXAMPLES[table]
        raise InvalidParameter(
            f"the variable {name} names no setting; write {prefix}{shape}, for instance {prefix}{example}"
        )
    there = values.get(table)
    names = there if isinstance(there, dict) else {}
    known = next((each for each in names if plain(each) == plain(own)), plain(own))
    kind = kinds if isinstance(kinds, Kind) else kinds.get(path[0], Kind.TEXT)
    return [table, known, *path], kind


def _unknown(name: str, known: list[str]) -> InvalidParameter:
    rest = name.partition("__")[2]
    begun = [f"{prefix}{rest}" for prefix in NAMED] if rest else []
    close = nearest(name, [*known, *begun], cutoff=0.8)
    hint = f"did you mean {close}?" if close else "see the reference of the settings, or unset it"
    return InvalidParameter(f"the environment variable {name} is not a setting; {hint}")


def _read(name: str, text: str, kind: Kind) -> object:
    match kind:
        case Kind.TEXT:
            return text
        case Kind.TEXTS:
            return list(_parts(text)) or None
        case Kind.NUMBER if re.fullmatch(r"-?[0-9]{1,18}", text.strip()):
            return int(text)
        case Kind.FLAG if text.strip().lower() in ("true", "false"):
            return text.strip().lower() == "true"
    fix = "true" if kind is Kind.FLAG else "100"
    raise InvalidParameter(f"the environment variable {name} must be {kind.value}; write {name}={fix}")


def _parts(text: str) -> Iterator[str]:
    yield from (part.strip() for part in text.split(",") if part.strip())


def _put(values: dict[str, Any], path: list[str], value: object) -> None:
    here = values
    for part in path[:-1]:
        inner = here.get(part)
        here[part] = here = inner if isinstance(inner, dict) else {}
    here[path[-1]] = value


def plain(name: str) -> str:
    """A name as it is compared: capitals, `-` and `_` make no difference."""
    return name.lower().replace("_", "-")
