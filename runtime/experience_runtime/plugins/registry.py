"""Integrations by name: from entry points, and from a folder of Python files."""

import functools
import itertools
import json
import logging
import re
import threading
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

from pydantic import BaseModel, ValidationError

from experience_runtime.domain.catalogue import Description, SettingState
from experience_runtime.domain.errors import (
    ExperienceError,
    IntegrationBroken,
    InvalidParameter,
    InvalidPayload,
    NotConfigured,
    Refusal,
    UnknownIntegration,
)
from experience_runtime.domain.state_changes import STATE_CHANGES
from experience_runtime.domain.values import nearest
from experience_runtime.integration import Cache, Integration, MemoryCache
from experience_runtime.plugins.finding import (
    AnyIntegration,
    Found,
    broken,
    given,
    in_folder,
    installed,
    named,
)
from experience_runtime.plugins.quarantine import stand_in
from experience_runtime.plugins.setting_states import setting_states, unknown_settings
from experience_runtime.plugins.showing import HIDDEN, NOT_SHOWN, shown_payload
from experience_runtime.settings.load import Settings
from experience_runtime.settings.redaction import SECRET_LENGTH
from experience_runtime.untrusted import foreign, plain_refusal

_logger = logging.getLogger(__name__)


class Registry:
    """The registered integrations; a ports.Integrations.

    They are looked for when they are first needed: the files of `settings.integrations_dir` are imported
    then, all of them, entry points each when it is first used. A broken one, and two of one name, are held
    by themselves: `broken` tells of them, and so does the log.
    """

    def __init__(self, settings: Settings, *, only: type[AnyIntegration] | None = None) -> None:
        """`only`: the one integration to hold, for its own tests; nothing else is looked for."""
        self._settings = settings
        self._only = only
        self._looking = threading.Lock()
        self._instances: dict[str, AnyIntegration] = {}
        self._checked: dict[str, BaseModel | str] = {}
        self._caches: dict[str, Cache] = {}
        self._broken: dict[str, str] = {}

    @property
    def _found(self) -> Mapping[str, Found]:
        with self._looking:  # two threads that ask first would import each file twice
            return self._all_found

    @functools.cached_property
    def _all_found(self) -> Mapping[str, Found]:
        everything: Iterable[Found] = (
            itertools.chain(installed(), in_folder(self._settings.integrations_dir), self._own())
            if self._only is None
            else given(self._only)
        )
        whole, by_name = list(everything), dict[str, Found]()
        for found in (each for each in whole if each.why is None):
            other = by_name.setdefault(found.name, found)
            if other is not found:
                why = (
                    f'two integrations are named "{found.name}": {other.source} and {found.source};'
                    " rename or remove one"
                )
                by_name[found.name] = broken(found.name, found.source, why)
        for found in (each for each in whole if each.why is not None):
            # its name is a guess: one that works keeps its own
            is_free = found.name not in by_name
            by_name[found.name if is_free else found.source.rpartition("/")[2]] = found
        for name, found in by_name.items():
            if found.why is not None:
                self._note_broken(name, found.why)
        return by_name

    def _own(self) -> Iterator[Found]:
        """What tells the webhooks, where there are any."""
        if self._settings.webhooks:
            from experience_runtime.plugins.state_changes import own

            yield from own()

    def _note_broken(self, name: str, why: str) -> None:
        self._broken[name] = self._settings.redact(why)
        _logger.warning("%s is broken, and what is scheduled for it waits: %s", name, self._broken[name])

    def load_all(self) -> None:
        """Load every one, so that `broken` knows all that are."""
        for name in self.names():
            self.get(name)

    def broken(self, name: str) -> str | None:
        """What is broken of this name, as far as it is known; None when nothing is. It loads nothing.

        While some file cannot be read, a name that nothing has may be the one that it defines.
        """
        if "_all_found" not in vars(self):
            return None
        if name in self._broken:
            return f"broken: {self._broken[name]}"
        if name in self._all_found:
            return None
        unread = self._unread()
        return unread and f"no integration of this name is loaded, and one is broken: {unread}"

    def _unread(self) -> str | None:
        """What is broken of a file, whose integration may have any name; None where there is none."""
        names = (name for name, found in self._all_found.items() if found.why is not None)
        return next((self._broken[name] for name in names), None)

    def unusable(self, name: str) -> str | None:
        """Why nothing of this name can be called here: it is `broken`, or not there. It loads nothing."""
        why = self.broken(name)
        if why is not None or "_all_found" not in vars(self) or name in self._all_found:
            return why
        return "no integration of this name is here; add it, or leave it to a worker that has it"

    def whole(self) -> Collection[str]:
        """The names of those that are not broken, as far as it is known."""
        return [name for name in self.names() if name not in self._broken]

    def names(self) -> Sequence[str]:
        return sorted(self._found)

    def get(self, name: str) -> AnyIntegration:
        there = self._instances.get(name)
        if there is not None:
            return there
        self._require(name)
        return self._instances.setdefault(name, self._made(name))

    def _made(self, name: str) -> AnyIntegration:
        try:
            return self._found[name].make()
        except InvalidParameter as problem:
            if self._only is not None:
                raise
            if name not in self._broken:
                self._note_broken(name, problem.message)
            return stand_in(name, self._broken[name])

    def _require(self, name: str) -> None:
        if name not in self._found:
            close = nearest(name, self._found, cutoff=0.5)
            hint = f'did you mean "{close}"? ' if close else ""
            if (unread := self._unread()) is not None:
                hint += f"one that is broken may be it: {unread}. "
            raise UnknownIntegration(
                f'no integration is named "{name[:100]}"; {hint}'
                f"Registered: {', '.join(self.names()) or 'none'}"
            )

    def settings(self, name: str) -> Any:
        model = self.get(name).settings
        if name in self._broken:
            raise IntegrationBroken(f"{name} is broken: {self._broken[name]}")
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
        if payload == NOT_SHOWN:  # a document that came back
            raise InvalidPayload(
                f'payload is "{NOT_SHOWN}", the mark of one that is hidden; send what is meant'
            )
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
            text = f'"{name}" could not check the payload: {named(raised.error)}; repair the integration'
            raise InvalidPayload(self._settings.redact(text))

    def shown(self, name: str, payload: str) -> str:
        """The JSON text of a payload as people may see it; of an integration that is gone, the payload.

        What a broken one would leave out is not known: nothing is shown.
        """
        integration = self.get(name) if name in self._found else None
        if self.broken(name) is not None:
            return HIDDEN
        return payload if integration is None else shown_payload(integration, payload)

    def cache(self, name: str) -> Cache:
        """What one integration keeps from call to call in this process; all of it is redacted."""
        return self._caches.get(name) or self._caches.setdefault(
            name, MemoryCache(learn=self._settings.learned.add)
        )

    def _fitted(self, name: str, model: type[BaseModel], payload: Any) -> BaseModel:
        with foreign() as raised:
            return model.model_validate(payload)
        assert raised.error is not None
        if not isinstance(raised.error, ValidationError):
            text = f'"{name}" could not read the payload: {named(raised.error)}; repair the integration'
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
        is_broken = name in self._broken
        source = self._found[name].source
        return Description(name=name, source=source, configured=why is None, why=why, broken=is_broken)

    def example(self, name: str) -> str:
        """A payload to begin with, as JSON text; `{}` where an integration has none that is JSON.

        Raises UnknownIntegration.
        """
        self._require(name)
        with foreign():
            example = self.get(name).example
            if example is not None:
                return json.dumps(example, indent=2, ensure_ascii=False, allow_nan=False)
        return "{}"

    def setting_states(self, name: str) -> Sequence[SettingState]:
        """Whether each setting of an integration is there; of a broken one, those that are given.

        Raises UnknownIntegration.
        """
        self._require(name)
        model = self.get(name).settings  # of a broken one what it needs is not known
        table, missing = self._settings.integration(name), self._settings.missing_of(name)
        return setting_states(model, table, missing)

    def _problems(self, name: str, model: type[BaseModel]) -> Iterator[str]:
        """What is missing or wrong, and how to set it; never a value."""
        unset = self._settings.missing_of(name)
        for setting, absent in unset.items():
            yield f"{setting} refers to {absent.what}; {absent.fix}"
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


def _how_to_set(name: str, setting: str) -> str:
    if name == STATE_CHANGES:
        _, webhook, key, *_ = [*setting.split("."), "", ""]
        return f"see [webhooks.{webhook}] in experience.toml: {key} = …"
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
