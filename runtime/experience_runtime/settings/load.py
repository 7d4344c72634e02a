"""Settings: what an operator chose, read once. Flag, then environment, then experience.toml, then default."""

import json
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from experience_runtime.domain.admission import Policy
from experience_runtime.domain.app_events import WEBHOOK_INTEGRATION
from experience_runtime.domain.clients import NO_CLIENT, Client, read_client
from experience_runtime.domain.errors import InvalidParameter
from experience_runtime.domain.retention import Retention
from experience_runtime.domain.values import nearest
from experience_runtime.settings.delivery import read_policy
from experience_runtime.settings.networks import Network, read_network
from experience_runtime.settings.redaction import (
    Learned,
    redacted,
    secret_texts,
    setting_texts,
    without_secrets,
)
from experience_runtime.settings.retention import read_retention
from experience_runtime.settings.serving import Served, read_served, take_site

T = TypeVar("T")

DEFAULT_CONFIG = Path("experience.toml")
DEFAULT_DATABASE = "sqlite:///experience.db"
DEFAULT_CONVERSIONS = ("ecBasketTransactionSummary",)

_INTEGRATION = "EXPERIENCE_INTEGRATION__"
TOP_SETTINGS = (
    "database",
    "integrations_dir",
    "conversions",
    "integrations",
    "outbound",
    "delivery",
    "serve",
    "experiences",
    "csml",
    "retention",
)
OUTBOUND_SETTINGS = ("allow_private",)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything configured. A relative path is relative to the current directory.

    `integrations`: the table of each integration, references resolved; a reference to a variable that is
    not set is left out and stands in `missing` (integration -> setting -> variable). `delivery`: how each
    integration may be called. `secrets`: the texts `redact` removes, with those
    that came up while running (`learned`).
    """

    database: str = DEFAULT_DATABASE
    integrations_dir: Path | None = None
    conversions: tuple[str, ...] = DEFAULT_CONVERSIONS
    integrations: Mapping[str, Mapping[str, object]] = field(default_factory=dict)
    missing: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    allow_private: tuple[Network, ...] = ()
    delivery: Mapping[str, Policy] = field(default_factory=dict)
    client: Client = NO_CLIENT
    retention: Retention = field(default_factory=Retention)
    served: Served = field(default_factory=Served)
    config: Path | None = None
    code_left_out: Path | None = None
    secrets: frozenset[str] = frozenset()
    learned: Learned = field(default_factory=Learned, compare=False)

    def integration(self, name: str) -> Mapping[str, object]:
        """The table of one integration; capitals and `-` or `_` make no difference."""
        return _of(self.integrations, name)

    def missing_of(self, name: str) -> Mapping[str, str]:
        """The settings of one integration that refer to a variable that is not set."""
        return _of(self.missing, name)

    def is_for_sites(self, name: str) -> bool:
        """Whether a site's key may call this integration: `site = true` in its table."""
        return _plain(name) in self.served.sites

    def policies(self) -> Mapping[str, Policy]:
        """The delivery policies by the names of their tables; capitals and `-` or `_` make no difference.

        Events call many addresses: unless it is asked for, one that is down holds up none of the others.
        """
        return _PlainNames({WEBHOOK_INTEGRATION: Policy(breaker_failures=0), **self.delivery})

    def unknown_policies(self, names: Sequence[str]) -> list[str]:
        """Tell of delivery tables that none of these names has."""
        told = []
        for own in self.delivery:
            if _plain(own) not in map(_plain, names):
                close = nearest(own, names, cutoff=0.6)
                hint = f'did you mean "{close}"?' if close else f"there are: {', '.join(names)}"
                told.append(f"{self.config}: delivery.{own} names no integration; {hint}")
        return told

    def redact(self, text: str) -> str:
        """Put `[redacted]` where the text holds a configured secret, and cut the query of every address."""
        return redacted(self.learned.taken_out(text), self.secrets)

    def without_secrets(self, text: str) -> str:
        """Put `[redacted]` where the text holds a configured secret: its caller goes on with it."""
        return without_secrets(self.learned.taken_out(text), self.secrets)

    def __repr__(self) -> str:
        database = re.sub(r"(?<=://).*@|\?.*", "…", self.database)
        return (
            f"Settings(database={database!r}, integrations_dir={self.integrations_dir!r},"
            f" conversions={self.conversions!r}, integrations={sorted(self.integrations)!r},"
            f" allow_private={[str(network) for network in self.allow_private]!r}, config={self.config!r})"
        )


def load_settings(
    *,
    config: Path | None = None,
    database: str | None = None,
    integrations_dir: Path | None = None,
    environ: Mapping[str, str],
    runs_code_found_here: bool = True,
) -> Settings:
    """Read everything once; the arguments are the command line's flags.

    Without `runs_code_found_here`, integration files that only the current directory's experience.toml names
    are left out and named in `code_left_out`: whoever looks at a stranger's folder runs nothing of it.

    Raises InvalidParameter for a file that cannot be read or holds something unknown. An empty variable
    counts as not set.
    """
    env = {name: value for name, value in environ.items() if value}
    path = config or (Path(env["EXPERIENCE_CONFIG"]) if "EXPERIENCE_CONFIG" in env else None)
    is_named = path is not None
    if path is None and DEFAULT_CONFIG.is_file():
        path = DEFAULT_CONFIG
    table = _Table(path, {} if path is None else _read(path))
    table.require_known(table.values, TOP_SETTINGS)
    outbound = table.table("outbound")
    table.require_known(outbound, OUTBOUND_SETTINGS, "outbound.")

    folder = env.get("EXPERIENCE_INTEGRATIONS_DIR") or env.get("EXPERIENCE_INTEGRATIONS")
    named_folder = integrations_dir or folder
    folder = folder or table.text("integrations_dir")
    left_out = None
    if not (runs_code_found_here or is_named or named_folder) and folder is not None:
        left_out, folder = Path(folder), None
    chosen = database or env.get("EXPERIENCE_DATABASE") or table.text("database") or DEFAULT_DATABASE
    chosen = _required(chosen, env, "the database")
    integrations, missing, sites, texts = _integrations(table, env)
    return Settings(
        database=chosen,
        integrations_dir=integrations_dir
        or (Path(_required(folder, env, "integrations_dir")) if folder else None),
        conversions=tuple(
            _listed(env, "EXPERIENCE_CONVERSIONS") or table.texts("conversions", DEFAULT_CONVERSIONS)
        ),
        integrations=integrations,
        missing=missing,
        allow_private=tuple(
            read_network(text, where="outbound.allow_private")
            for text in _listed(env, "EXPERIENCE_OUTBOUND_ALLOW_PRIVATE")
            or table.texts("outbound.allow_private", ())
        ),
        delivery={
            name: read_policy(table.table(f"delivery.{name}"), where=f"{path}: delivery.{name}")
            for name in _own_names(table, "delivery")
        },
        client=_client(table),
        retention=read_retention(table.table("retention"), where=str(path)),
        served=read_served(
            table.table("serve"),
            table.table("experiences"),
            sites,
            where=str(path or "the settings"),
            trusted_proxies=_listed(env, "EXPERIENCE_SERVE_TRUSTED_PROXIES"),
        ),
        config=path,
        code_left_out=left_out,
        secrets=frozenset(secret_texts(chosen, texts)),
    )


@dataclass(frozen=True, slots=True)
class _Table:
    """A parsed experience.toml that says what is wrong with it. `key` may be dotted."""

    path: Path | None
    values: Mapping[str, Any]

    def require_known(self, values: Mapping[str, Any], known: Sequence[str], prefix: str = "") -> None:
        for key in values:
            if key not in known:
                close = nearest(key, known, cutoff=0.6)
                hint = f'did you mean "{prefix}{close}"?' if close else f"known are: {', '.join(known)}"
                # its value is not shown: a misplaced key may hold a secret
                raise InvalidParameter(f'{self.path}: "{prefix}{key}" is not a setting; {hint}')

    def text(self, key: str) -> str | None:
        value = self._value(key)
        if value is not None and (not isinstance(value, str) or not value):
            raise self.refusal(key, value, f'must be a string; write {key} = "…"')
        return value

    def texts(self, key: str, default: Sequence[str]) -> Sequence[str]:
        value = self._value(key)
        if value is None:
            return default
        if not isinstance(value, list) or not all(isinstance(item, str) and item for item in value):
            raise self.refusal(
                key, value, f'must be a list of strings; write {key.rpartition(".")[2]} = ["…"]'
            )
        return value

    def table(self, key: str) -> Mapping[str, Any]:
        value = self._value(key)
        if value is None:
            return {}
        if not isinstance(value, dict):
            # neither shown: a text here is most likely a misplaced address
            raise InvalidParameter(
                f"{self.path}: {key} is a {type(value).__name__}, it must be a table;"
                f" write [{key}] on a line of its own"
            )
        return value

    def refusal(self, key: str, value: object, rule: str) -> InvalidParameter:
        shown = json.dumps(value, default=str, ensure_ascii=False)
        return InvalidParameter(f"{self.path}: {key} = {shown[:80]} {rule}")

    def _value(self, key: str) -> Any:
        value: Any = self.values
        for part in key.split("."):
            if not isinstance(value, dict) or part not in value:
                return None
            value = value[part]
        return value


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as problem:
        raise InvalidParameter(
            f"the settings file {path} cannot be read ({problem.strerror});"
            " name an existing one with --config"
        ) from None
    except ValueError as problem:  # TOML and UTF-8 alike
        reason = str(problem) if isinstance(problem, tomllib.TOMLDecodeError) else "it is not UTF-8"
        raise InvalidParameter(f"{path} is not TOML: {reason}; correct that line") from None


def _integrations(
    table: _Table, env: Mapping[str, str]
) -> tuple[dict[str, Mapping[str, object]], dict[str, Mapping[str, str]], frozenset[str], Sequence[str]]:
    """The tables with their references resolved, what is missing, which are for sites, possible secrets."""
    tables = {name: dict(table.table(f"integrations.{name}")) for name in _own_names(table, "integrations")}
    for variable in sorted(env):
        if variable.startswith(_INTEGRATION):
            _set(tables, variable, env[variable])
    sites = {name for name, values in tables.items() if take_site(values, where=f"integrations.{name}")}
    resolved: dict[str, Mapping[str, object]] = {}
    missing: dict[str, Mapping[str, str]] = {}
    for name, values in tables.items():
        absent: dict[str, str] = {}
        resolved[name] = _resolved(values, env, f"integrations.{name}", "", absent)
        if absent:
            missing[name] = absent
    return resolved, missing, frozenset(map(_plain, sites)), list(setting_texts(tables, env))


def _client(table: _Table) -> Client:
    """On whose behalf `App(…)` schedules, where no other client is named."""
    table.require_known(table.table("csml"), ("client",), "csml.")
    return read_client(table.table("csml.client"), where=f"{table.path}: csml.client")


def _own_names(table: _Table, key: str) -> Sequence[str]:
    names = list(table.table(key))
    for name in names:
        if "." in name:
            raise InvalidParameter(f'{table.path}: "{name}" cannot be an integration\'s name; it holds a dot')
    return names


def _set(tables: dict[str, dict[str, Any]], variable: str, value: str) -> None:
    """EXPERIENCE_INTEGRATION__SLACK_UPDATE__URL sets `url` of `slack-update`."""
    name, *path = variable.removeprefix(_INTEGRATION).lower().split("__")
    if not name or not path or not all(path):
        raise InvalidParameter(
            f"the variable {variable} names no setting; write {_INTEGRATION}NAME__SETTING,"
            f" for instance {_INTEGRATION}SLACK_UPDATE__URL"
        )
    known = next((own for own in tables if _plain(own) == _plain(name)), _plain(name))
    here = tables.setdefault(known, {})
    for part in path[:-1]:
        inner = here.get(part)
        here[part] = here = dict(inner) if isinstance(inner, dict) else {}
    here[path[-1]] = value


def _resolved(
    value: Mapping[str, Any], env: Mapping[str, str], where: str, prefix: str, absent: dict[str, str]
) -> dict[str, object]:
    """Follow every "env:NAME"; one to a variable that is not set is left out and noted in `absent`."""

    def follow(path: str, item: Any) -> Iterator[Any]:
        match item:
            case str() if (variable := _reference(item, f"{where}.{path}")) is not None:
                if variable in env:
                    yield env[variable]
                else:
                    absent[path] = variable
            case dict():
                yield _resolved(item, env, where, f"{path}.", absent)
            case list():
                yield [
                    found for number, inner in enumerate(item) for found in follow(f"{path}[{number}]", inner)
                ]
            case _:
                yield item

    return {key: found for key, item in value.items() for found in follow(f"{prefix}{key}", item)}


def _reference(text: str, where: str) -> str | None:
    if not text.startswith("env:"):
        return None
    name = text.removeprefix("env:")
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name):
        raise InvalidParameter(f'{where} begins with "env:" but names no variable; write "env:NAME"')
    return name


def _required(text: str, env: Mapping[str, str], where: str) -> str:
    variable = _reference(text, where)
    if variable is None:
        return text
    if variable not in env:
        raise InvalidParameter(f'{where} is "env:{variable}" and that variable is not set; set {variable}')
    return env[variable]


def _listed(env: Mapping[str, str], variable: str) -> list[str]:
    return [part.strip() for part in env.get(variable, "").split(",") if part.strip()]


def _of(tables: Mapping[str, Mapping[str, T]], name: str) -> Mapping[str, T]:
    if name in tables:
        return tables[name]
    return next((table for own, table in tables.items() if _plain(own) == _plain(name)), {})


class _PlainNames(dict[str, T]):
    """A mapping whose keys are compared without regard to capitals, `-` and `_`."""

    def __init__(self, values: Mapping[str, T]) -> None:
        super().__init__({_plain(name): value for name, value in values.items()})

    def get(self, name: str, default: Any = None) -> Any:
        return super().get(_plain(name), default)


def _plain(name: str) -> str:
    return name.lower().replace("_", "-")
