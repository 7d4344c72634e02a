"""Settings: what an operator chose, read once. Flag, then environment, then experience.toml, then default."""

import json
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar

from experience_runtime.domain.admission import Policy
from experience_runtime.domain.alerts import Rule
from experience_runtime.domain.app_events import WEBHOOK_INTEGRATION
from experience_runtime.domain.clients import FIELDS, NO_CLIENT, Client, read_client
from experience_runtime.domain.errors import InvalidParameter
from experience_runtime.domain.retention import Retention
from experience_runtime.domain.state_changes import STATE_CHANGES, Webhook
from experience_runtime.domain.values import nearest
from experience_runtime.settings.alerts import read_alert
from experience_runtime.settings.delivery import read_policy
from experience_runtime.settings.environment import CONFIG, OLDER_NAMES, overlaid, plain, variable
from experience_runtime.settings.networks import Network, read_network
from experience_runtime.settings.redaction import (
    Learned,
    redacted,
    secret_texts,
    setting_texts,
    without_secrets,
)
from experience_runtime.settings.references import Missing, References
from experience_runtime.settings.retention import read_retention
from experience_runtime.settings.serving import SERVE_SETTINGS, Served, read_served, take_site
from experience_runtime.settings.stored import NOTHING_STORED, SETTINGS_KEY, Stored, read_keys
from experience_runtime.settings.webhooks import read_webhook, receiver

T = TypeVar("T")

DEFAULT_CONFIG = Path("experience.toml")
DEFAULT_DATABASE = "sqlite:///experience.db"
DEFAULT_CONVERSIONS = ("ecBasketTransactionSummary",)

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
    "alerts",
    "webhooks",
)
OUTBOUND_SETTINGS = ("allow_private",)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything configured. A relative path is relative to the current directory.

    `integrations`: the table of each integration, references resolved; a reference to what is not there is
    left out and stands in `missing` (integration -> setting -> what is missing). `delivery`: how each
    integration may be called. `secrets`: the texts `redact` removes, with those that came up while running
    (`learned`). `settings_keys` seal what stands in the database; `stored` is what does, in a process that
    asks no database.
    """

    database: str = DEFAULT_DATABASE
    integrations_dir: Path | None = None
    conversions: tuple[str, ...] = DEFAULT_CONVERSIONS
    integrations: Mapping[str, Mapping[str, object]] = field(default_factory=dict)
    missing: Mapping[str, Mapping[str, Missing]] = field(default_factory=dict)
    allow_private: tuple[Network, ...] = ()
    delivery: Mapping[str, Policy] = field(default_factory=dict)
    client: Client = NO_CLIENT
    retention: Retention = field(default_factory=Retention)
    alerts: tuple[Rule, ...] = ()
    webhooks: tuple[Webhook, ...] = ()
    served: Served = field(default_factory=Served)
    settings_keys: tuple[str, ...] = ()
    stored: Stored = NOTHING_STORED
    config: Path | None = None
    code_left_out: Path | None = None
    secrets: frozenset[str] = frozenset()
    learned: Learned = field(default_factory=Learned, compare=False)

    def integration(self, name: str) -> Mapping[str, object]:
        """The table of one integration; capitals and `-` or `_` make no difference."""
        return _of(self.integrations, name)

    def with_stored(self, stored: Stored) -> "Settings":
        """The same for a process that asks no database, and opens nothing."""
        secrets = self.secrets | frozenset(secret_texts("", list(stored.secrets())))
        return replace(self, stored=stored, secrets=secrets, settings_keys=())

    def missing_of(self, name: str) -> Mapping[str, Missing]:
        """The settings of one integration that refer to what is not there."""
        return _of(self.missing, name)

    def is_for_sites(self, name: str) -> bool:
        """Whether a site's key may call this integration: `site = true` in its table."""
        return plain(name) in self.served.sites

    def policies(self) -> Mapping[str, Policy]:
        """The delivery policies by the names of their tables; capitals and `-` or `_` make no difference.

        Events and webhooks call many addresses: unless it is asked for, one that is down holds up none of
        the others.
        """
        unbroken = dict.fromkeys((WEBHOOK_INTEGRATION, STATE_CHANGES), Policy(breaker_failures=0))
        return _PlainNames({**unbroken, **self.delivery})

    def unknown_tables(self, names: Sequence[str]) -> list[str]:
        """Tell of tables of integrations and of their delivery that none of these names has."""
        told = []
        tables = [("integrations", own) for own in self.integrations]
        for kind, own in [*tables, *(("delivery", own) for own in self.delivery)]:
            if plain(own) not in map(plain, names):
                close = nearest(own, names, cutoff=0.6)
                hint = f'did you mean "{close}"?' if close else f"there are: {', '.join(names)}"
                where = self.config or "the environment"
                told.append(f"{where}: {kind}.{own} names no integration; {hint}")
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
    path = config or (Path(env[CONFIG]) if CONFIG in env else None)
    is_named = path is not None
    if path is None and DEFAULT_CONFIG.is_file():
        path = DEFAULT_CONFIG
    merged = overlaid({} if path is None else _read(path), env)
    table, references = _Table(path, merged.values, merged.variables), References(env)
    table.require_known(table.values, TOP_SETTINGS)
    outbound = table.table("outbound")
    table.require_known(outbound, OUTBOUND_SETTINGS, "outbound.")

    folder = table.text("integrations_dir")
    of_folder = variable("integrations_dir")
    is_named = is_named or any(name in env for name in (of_folder, *OLDER_NAMES))
    left_out = None
    if integrations_dir is None and folder is not None:
        folder = references.text(folder, "integrations_dir")
        if runs_code_found_here or is_named:
            integrations_dir = Path(folder)
        else:
            left_out = Path(folder)
    chosen = references.text(database or table.text("database") or DEFAULT_DATABASE, "the database")
    keys = read_keys(references.text(env[SETTINGS_KEY], SETTINGS_KEY)) if SETTINGS_KEY in env else ()
    integrations, missing, sites, texts = _integrations(table, references)
    return Settings(
        database=chosen,
        integrations_dir=integrations_dir,
        conversions=tuple(table.texts("conversions", DEFAULT_CONVERSIONS)),
        integrations=integrations,
        missing=missing,
        allow_private=tuple(
            read_network(text, where=f"{table.where('outbound')}: outbound.allow_private")
            for text in table.texts("outbound.allow_private", ())
        ),
        delivery={
            name: read_policy(
                table.table(f"delivery.{name}"), where=f"{table.where('delivery')}: delivery.{name}"
            )
            for name in _own_names(table, "delivery")
        },
        client=_client(table),
        retention=read_retention(table.table("retention"), where=table.where("retention")),
        alerts=tuple(
            read_alert(name, table.table(f"alerts.{name}"), where=f"{table.where('alerts')}: alerts.{name}")
            for name in _own_names(table, "alerts")
        ),
        webhooks=tuple(
            read_webhook(
                name, table.table(f"webhooks.{name}"), where=f"{table.where('webhooks')}: webhooks.{name}"
            )
            for name in _own_names(table, "webhooks")
        ),
        served=read_served(
            table.table("serve"),
            table.table("experiences"),
            sites,
            where=table.where("serve", "experiences"),
        ),
        settings_keys=keys,
        config=path,
        code_left_out=left_out,
        secrets=frozenset(secret_texts(chosen, [*texts, *keys])),
    )


@dataclass(frozen=True, slots=True)
class _Table:
    """A parsed experience.toml with the environment's `variables` over it, that says what is wrong with it.

    `key` may be dotted.
    """

    path: Path | None
    values: Mapping[str, Any]
    variables: Mapping[str, tuple[str, ...]]

    def where(self, *tables: str) -> str:
        """What these tables were read from: the file, and the variables that change them."""
        names = [name for table in tables for name in self.variables.get(table, ())]
        told = [*([] if self.path is None else [str(self.path)]), *names[:3], *(["…"] if names[3:] else [])]
        return ", ".join(told) or "the settings"

    def require_known(self, values: Mapping[str, Any], known: Sequence[str], prefix: str = "") -> None:
        for key in values:
            if key not in known:
                close = nearest(key, known, cutoff=0.6)
                hint = f'did you mean "{prefix}{close}"?' if close else f"known are: {', '.join(known)}"
                if not prefix and key in (*OUTBOUND_SETTINGS, *SERVE_SETTINGS):
                    hint = f"write it below [{'outbound' if key in OUTBOUND_SETTINGS else 'serve'}]"
                # its value is not shown: a misplaced key may hold a secret
                raise InvalidParameter(
                    f'{self.where(*prefix.split(".")[:1])}: "{prefix}{key}" is not a setting; {hint}'
                )

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
                f"{self.where(key.split('.')[0])}: {key} is a {type(value).__name__}, it must be a table;"
                f" write [{key}] on a line of its own"
            )
        return value

    def refusal(self, key: str, value: object, rule: str) -> InvalidParameter:
        shown = json.dumps(value, default=str, ensure_ascii=False)
        return InvalidParameter(f"{self.where(key.split('.')[0])}: {key} = {shown[:80]} {rule}")

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
    table: _Table, references: References
) -> tuple[dict[str, Mapping[str, object]], dict[str, Mapping[str, Missing]], frozenset[str], Sequence[str]]:
    """The tables with their references resolved, what is missing, which are for sites, possible secrets."""
    tables = {name: dict(table.table(f"integrations.{name}")) for name in _own_names(table, "integrations")}
    if STATE_CHANGES in map(plain, tables):
        raise InvalidParameter(
            f"{table.where('integrations')}: [integrations.{STATE_CHANGES}] is not read; "
            "write [webhooks.NAME] with url, secret and headers"
        )
    if told := {name: receiver(table.table(f"webhooks.{name}")) for name in _own_names(table, "webhooks")}:
        tables[STATE_CHANGES] = {"webhooks": told}
    sites = {name for name, values in tables.items() if take_site(values, where=f"integrations.{name}")}
    resolved: dict[str, Mapping[str, object]] = {}
    missing: dict[str, Mapping[str, Missing]] = {}
    for name, values in tables.items():
        absent: dict[str, Missing] = {}
        resolved[name] = _resolved(values, references, f"integrations.{name}", "", absent)
        if absent:
            missing[name] = absent

    def follow(text: str) -> str:
        found = references.follow(text, "integrations")
        return "" if isinstance(found, Missing) else found

    return resolved, missing, frozenset(map(plain, sites)), list(setting_texts(tables, follow))


def _client(table: _Table) -> Client:
    """On whose behalf `App(…)` schedules, where no other client is named."""
    table.require_known(table.table("csml"), ("client",), "csml.")
    client = table.table("csml.client")
    table.require_known(client, FIELDS, "csml.client.")
    return read_client(client, where=f"{table.where('csml')}: csml.client")


def _own_names(table: _Table, key: str) -> Sequence[str]:
    names = list(table.table(key))
    for name in names:
        if "." in name:
            raise InvalidParameter(f'{table.path}: "{name}" cannot be a name; it holds a dot')
    return names


def _resolved(
    value: Mapping[str, Any], references: References, where: str, prefix: str, absent: dict[str, Missing]
) -> dict[str, object]:
    """Follow every reference; one to what is not there is left out and noted in `absent`."""

    def follow(path: str, item: Any) -> Iterator[Any]:
        match item:
            case str():
                found = references.follow(item, f"{where}.{path}")
                if isinstance(found, Missing):
                    absent[path] = found
                else:
                    yield found
            case dict():
                yield _resolved(item, references, where, f"{path}.", absent)
            case list():
                yield [
                    found for number, inner in enumerate(item) for found in follow(f"{path}[{number}]", inner)
                ]
            case _:
                yield item

    return {key: found for key, item in value.items() for found in follow(f"{prefix}{key}", item)}


def _of(tables: Mapping[str, Mapping[str, T]], name: str) -> Mapping[str, T]:
    if name in tables:
        return tables[name]
    return next((table for own, table in tables.items() if plain(own) == plain(name)), {})


class _PlainNames(dict[str, T]):
    """A mapping whose keys are compared without regard to capitals, `-` and `_`."""

    def __init__(self, values: Mapping[str, T]) -> None:
        super().__init__({plain(name): value for name, value in values.items()})

    def get(self, name: str, default: Any = None) -> Any:
        return super().get(plain(name), default)
