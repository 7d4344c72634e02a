"""Integrations by name: from entry points, and from a folder of Python files."""

import functools
import hashlib
import importlib
import importlib.util
import inspect
import itertools
import json
import pkgutil
import re
import sys
import threading
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from types import ModuleType
from typing import Any

from pydantic import BaseModel, ValidationError

from experience_runtime.domain.catalogue import Description, SettingState
from experience_runtime.domain.errors import (
    ExperienceError,
    InvalidParameter,
    InvalidPayload,
    NotConfigured,
    Refusal,
    UnknownIntegration,
)
from experience_runtime.domain.values import nearest
from experience_runtime.integration import Backoff, Integration
from experience_runtime.plugins.setting_states import setting_states, unknown_settings
from experience_runtime.settings.load import Settings
from experience_runtime.settings.redaction import SECRET_LENGTH
from experience_runtime.untrusted import foreign, plain_refusal, spell

GROUP = "experience_runtime.integrations"
BUILT_INS = "experience_integrations"
MOST_RETRIES = 1000

_RUN_LATER = (inspect.iscoroutinefunction, inspect.isgeneratorfunction, inspect.isasyncgenfunction)

AnyIntegration = Integration[Any, Any]


class Registry:
    """The registered integrations; a ports.Integrations.

    They are looked for when they are first needed: the files of `settings.integrations_dir` are imported
    then, all of them, entry points each when it is first used. Raises InvalidParameter for a broken file and
    for two of one name; `names` is enough to notice it at start.
    """

    def __init__(self, settings: Settings, *, only: type[AnyIntegration] | None = None) -> None:
        """`only`: the one integration to hold, for its own tests; nothing else is looked for."""
        self._settings = settings
        self._only = only
        self._looking = threading.Lock()
        self._instances: dict[str, AnyIntegration] = {}
        self._checked: dict[str, BaseModel | str] = {}

    @property
    def _found(self) -> Mapping[str, "_Found"]:
        with self._looking:  # two threads that ask first would import each file twice
            return self._all_found

    @functools.cached_property
    def _all_found(self) -> Mapping[str, "_Found"]:
        everything: Iterable[_Found] = (
            itertools.chain(_installed(), _in_folder(self._settings.integrations_dir))
            if self._only is None
            else _given(self._only)
        )
        by_name: dict[str, _Found] = {}
        for found in everything:
            other = by_name.setdefault(found.name, found)
            if other is not found:
                raise InvalidParameter(
                    f'two integrations are named "{found.name}": {other.source} and {found.source};'
                    " rename or remove one"
                )
        return by_name

    def names(self) -> Sequence[str]:
        return sorted(self._found)

    def get(self, name: str) -> AnyIntegration:
        self._require(name)
        if name not in self._instances:
            self._instances.setdefault(name, self._found[name].make())
        return self._instances[name]

    def _require(self, name: str) -> None:
        if name not in self._found:
            close = nearest(name, self._found, cutoff=0.5)
            hint = f'did you mean "{close}"? ' if close else ""
            raise UnknownIntegration(
                f'no integration is named "{name[:100]}"; {hint}'
                f"Registered: {', '.join(self.names()) or 'none'}"
            )

    def settings(self, name: str) -> Any:
        model = self.get(name).settings
        if model is None:
            return None
        if name not in self._checked:  # settings are read once, so what was found stays true
            self._checked[name] = self._check(name, model)
        found = self._checked[name]
        if isinstance(found, str):
            raise NotConfigured(found)
        return found

    def _check(self, name: str, model: type[BaseModel]) -> BaseModel | str:
        """The validated settings, or in words what is missing."""
        problems = list(self._problems(name, model))
        if problems:
            return f'the integration "{name}" is not configured: {"; ".join(problems)}'
        return model.model_validate(self._settings.integration(name))

    def parse_payload(self, name: str, payload: Any) -> Any:
        model = self.get(name).payload
        parsed = payload if model is None else self._fitted(name, model, payload)
        self._check_payload(name, parsed)
        return parsed

    def _check_payload(self, name: str, parsed: Any) -> None:
        """Ask the integration itself; what it refuses is told without secrets."""
        integration = self.get(name)
        if type(integration).check is Integration.check:
            return
        try:
            settings = self.settings(name)
        except NotConfigured:
            settings = None
        try:
            with foreign(Refusal) as raised:
                integration.check(parsed, settings)
        except Refusal as refusal:
            raise plain_refusal(refusal, self._settings.redact) from None
        if raised.error is not None:
            text = f'"{name}" could not check the payload: {_named(raised.error)}; repair the integration'
            raise InvalidPayload(self._settings.redact(text))

    def _fitted(self, name: str, model: type[BaseModel], payload: Any) -> BaseModel:
        with foreign() as raised:
            return model.model_validate(payload)
        assert raised.error is not None
        if not isinstance(raised.error, ValidationError):
            text = f'"{name}" could not read the payload: {_named(raised.error)}; repair the integration'
            raise InvalidPayload(self._settings.redact(text))
        first, *others = raised.error.errors(include_url=False)
        more = f" (and {len(others)} more)" if others else ""
        raise InvalidPayload(self._settings.redact(f'{_fault(first)}{more}; see what "{name}" takes'))

    def describe(self) -> Sequence[Description]:
        """Every integration, also one that is broken or not configured, and why."""
        return [self.description(name) for name in self.names()]

    def description(self, name: str) -> Description:
        """What is known of one integration. Raises UnknownIntegration."""
        self._require(name)
        why = None
        try:
            self.settings(name)
        except ExperienceError as problem:
            why = problem.message
        return Description(name=name, source=self._found[name].source, configured=why is None, why=why)

    def setting_states(self, name: str) -> Sequence[SettingState]:
        """Whether each setting of an integration is there; of a broken one, those that are given.

        Raises UnknownIntegration.
        """
        self._require(name)
        try:
            model = self.get(name).settings
        except InvalidParameter:  # it cannot be made: what it needs is not known
            model = None
        table, missing = self._settings.integration(name), self._settings.missing_of(name)
        return setting_states(model, table, missing)

    def _problems(self, name: str, model: type[BaseModel]) -> Iterator[str]:
        """What is missing or wrong, and how to set it; never a value."""
        unset = self._settings.missing_of(name)
        for setting, variable in unset.items():
            yield f"{setting} refers to the environment variable {variable}, which is not set; set {variable}"
        table = self._settings.integration(name)
        yield from unknown_settings(table, model)
        with foreign() as raised:
            model.model_validate(table)
        if isinstance(raised.error, ValidationError):
            for error in raised.error.errors(include_url=False, include_context=False):
                setting = _path(error["loc"]) or "the table"
                if setting in unset:
                    continue
                if error["type"] == "missing":
                    yield f"{setting} is missing; {_how_to_set(name, setting)}"
                else:
                    yield f"{setting} is wrong: {self._without_value(error)}; {_how_to_set(name, setting)}"
        elif raised.error is not None:
            yield f"its settings cannot be read: {type(raised.error).__name__}; repair the integration"

    def _without_value(self, error: Mapping[str, Any]) -> str:
        text, given = _expected(error), error.get("input")
        if isinstance(given, str) and len(given) >= SECRET_LENGTH:
            text = text.replace(given, "[redacted]")
        return self._settings.redact(text)


def load_file(path: Path) -> type[AnyIntegration]:
    """The integration of one file; InvalidParameter for a file that is broken or holds none, or several."""
    found = list(_in_module(_import_file(path), str(path)))
    if len(found) != 1:
        raise InvalidParameter(f"{path} holds {len(found)} integrations; name the class of the one meant")
    kind: type[AnyIntegration] = found[0].load()
    return kind


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    """A registered name, where it comes from for people, and how to get its class."""

    name: str
    source: str
    load: Callable[[], Any]

    def make(self) -> AnyIntegration:
        with foreign() as raised:
            kind = self.load()
        if raised.error is not None:
            raise InvalidParameter(
                f'the integration "{self.name}" ({self.source}) cannot be loaded: {_named(raised.error)};'
                " repair or uninstall it"
            )
        _check(kind, self.source)
        if kind.name != self.name:
            raise InvalidParameter(
                f'{self.source} is registered as "{self.name}" but names itself "{kind.name}";'
                " make them equal"
            )
        with foreign() as raised:
            integration: AnyIntegration = kind()
        if raised.error is not None:
            raise InvalidParameter(
                f'the integration "{self.name}" ({self.source}) cannot be made: {_named(raised.error)};'
                " repair it"
            )
        return integration


def _installed() -> Iterator[_Found]:
    points = {(point.name, point.value) for point in entry_points(group=GROUP)}
    for name, value in sorted(points):
        yield _Found(name=name, source=value, load=EntryPoint(name, value, GROUP).load)
    if not any(value.startswith(f"{BUILT_INS}.") for _, value in points):
        yield from _in_checkout()


def _in_checkout() -> Iterator[_Found]:
    """The built-ins of a source checkout that is not installed, and so has no entry points."""
    try:
        package = importlib.import_module(BUILT_INS)
    except ModuleNotFoundError:
        return
    for entry in pkgutil.iter_modules(package.__path__):
        name = f"{BUILT_INS}.{entry.name}"
        yield from _in_module(importlib.import_module(name), name)


def _in_folder(folder: Path | None) -> Iterator[_Found]:
    """The files NAME.py of a folder; those that begin with `_` are left alone."""
    if folder is None:
        return
    if not folder.is_dir():
        raise InvalidParameter(
            f"the integrations folder {folder} does not exist; create it or correct --integrations"
        )
    for path in sorted(folder.glob("*.py")):
        if path.name.startswith("_"):
            continue
        found = list(_in_module(_import_file(path), str(path)))
        if not found:
            raise InvalidParameter(
                f"{path} holds no integration: no subclass of Integration with a name;"
                f" write one, or begin the file's name with _"
            )
        yield from found


def _import_file(path: Path) -> ModuleType:
    digest = hashlib.sha256(str(path.resolve()).encode()).hexdigest()[:12]
    name = f"_experience_integration_{digest}_{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise InvalidParameter(f"{path} cannot be imported as Python; rename it to NAME.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # pydantic and dataclasses look types up there
    with foreign() as raised:
        spec.loader.exec_module(module)
    if raised.error is not None:
        del sys.modules[name]
        raise InvalidParameter(
            f"{path}, line {_line(raised.error, path)}: {_named(raised.error)};"
            " correct the file or remove it from the folder"
        )
    return module


def _in_module(module: ModuleType, source: str) -> Iterator[_Found]:
    """The integrations a module defines itself, not those it imports."""
    for kind in list(vars(module).values()):
        if (
            isinstance(kind, type)
            and issubclass(kind, Integration)
            and kind.__module__ == module.__name__
            and hasattr(kind, "name")
        ):
            where = f"{source}:{kind.__name__}"
            _check(kind, where)
            yield _Found(name=kind.name, source=where, load=functools.partial(_itself, kind))


def _given(kind: type[AnyIntegration]) -> Iterator[_Found]:
    where = f"{kind.__module__}:{kind.__qualname__}"
    _check(kind, where)
    yield _Found(name=kind.name, source=where, load=functools.partial(_itself, kind))


def _itself(kind: type) -> type:
    return kind


def _check(kind: Any, source: str) -> None:
    if not (isinstance(kind, type) and issubclass(kind, Integration)):
        raise InvalidParameter(f"{source} is no subclass of Integration; see experience_runtime.integration")
    name = getattr(kind, "name", None)
    if not isinstance(name, str) or not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}", name):
        raise InvalidParameter(
            f"{source}: {name!r} cannot be an integration's name; use up to 100 letters, digits, - and _"
        )
    if kind.call is Integration.call:
        raise InvalidParameter(f"{source} has no method call(self, payload, context); write one")
    for part in ("call", "check"):
        if any(runs_later(getattr(kind, part)) for runs_later in _RUN_LATER):
            raise InvalidParameter(
                f"{source}: {part} is async or a generator, which nothing runs; make it a plain function"
            )
    if not isinstance(kind.retries, int) or not 0 <= kind.retries <= MOST_RETRIES:
        raise InvalidParameter(
            f"{source}: retries = {kind.retries!r} must be a whole number from 0 to {MOST_RETRIES}"
        )
    if not isinstance(kind.backoff, Backoff):
        raise InvalidParameter(f"{source}: backoff = {kind.backoff!r} must be a Backoff(…)")
    for part in ("settings", "payload"):
        model = getattr(kind, part)
        if model is not None and not (isinstance(model, type) and issubclass(model, BaseModel)):
            raise InvalidParameter(f"{source}: {part} must be a pydantic model (the class) or None")


def _line(problem: BaseException, path: Path) -> int | str:
    if isinstance(problem, SyntaxError) and problem.filename == str(path):
        return problem.lineno or "?"
    frames = [frame for frame in traceback.extract_tb(problem.__traceback__) if frame.filename == str(path)]
    return (frames[-1].lineno or "?") if frames else "?"


def _named(problem: BaseException) -> str:
    text = problem.msg if isinstance(problem, SyntaxError) else spell(problem)
    return f"{type(problem).__name__}: {text}"


def _how_to_set(name: str, setting: str) -> str:
    written = f'write {setting} = "env:NAME" under [integrations.{name}] in experience.toml'
    if setting != setting.lower():
        return written  # a variable sets names in small letters
    variable = re.sub(r"[^A-Z0-9]+", "_", name.upper())
    nested = re.sub(r"[^A-Z0-9_]+", "__", setting.upper())
    return f"{written}, or set EXPERIENCE_INTEGRATION__{variable}__{nested}"


def _fault(error: Mapping[str, Any]) -> str:
    """What is wrong with a payload: path, value, what is expected."""
    path = _path(("payload", *error["loc"]))
    if error["type"] == "missing":
        return f"{path} is missing"
    shown = json.dumps(error.get("input"), default=str, ensure_ascii=False)
    return f"{path} = {shown if len(shown) <= 80 else f'{shown[:80]}…'} does not fit: {_expected(error)}"


def _expected(error: Mapping[str, Any]) -> str:
    text: str = error["msg"]
    text = text.removeprefix("Value error, ").removeprefix("Assertion failed, ")
    return text[:1].lower() + text[1:]


def _path(parts: Sequence[str | int]) -> str:
    path = ""
    for part in parts:
        path += f"[{part}]" if isinstance(part, int) else f".{part}" if path else part
    return path
