"""Integrations by name: from entry points, and from a folder of Python files."""

import functools
import itertools
import json
import logging
import threading
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
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
from experience_runtime.plugins.setting_fields import SettingField, setting_fields
from experience_runtime.plugins.setting_problems import (
    SettingProblem,
    expected,
    in_words,
    path_text,
    setting_problems,
)
from experience_runtime.plugins.setting_states import setting_states
from experience_runtime.plugins.showing import HIDDEN, NOT_SHOWN, shown_payload
from experience_runtime.settings.load import Settings
from experience_runtime.settings.references import Missing
from experience_runtime.settings.stored import Stored
from experience_runtime.untrusted import foreign, plain_refusal

_logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Given:
    """The settings of one integration as they stand in the settings file, or in the database.

    `version`: how often they were changed there; `unreadable`: why they cannot be opened.
    """

    table: Mapping[str, Any]
    missing: Mapping[str, Missing]
    version: int = 0
    is_stored: bool = False
    unreadable: str | None = None


class Registry:
    """The registered integrations; a ports.Integrations.

    They are looked for when they are first needed: the files of `settings.integrations_dir` are imported
    then, all of them, entry points each when it is first used. A broken one, and two of one name, are held
    by themselves: `broken` tells of them, and so does the log.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        only: type[AnyIntegration] | None = None,
        stored: Callable[[], Stored] | None = None,
    ) -> None:
        """`only`: the one integration to hold, for its own tests; nothing else is looked for.

        `stored` gives the settings that stand in the database, as they are now.
        """
        self._settings = settings
        self._stored = stored or (lambda: settings.stored)
        self._only = only
        self._looking = threading.Lock()
        self._instances: dict[str, AnyIntegration] = {}
        self._checked: dict[str, tuple[int, BaseModel | str]] = {}
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
        why = self.broken(name) or self._given(name).unreadable
        if why is not None or "_all_found" not in vars(self) or name in self._all_found:
            return why
        return "no integration of this name is here; add it, or leave it to a worker that has it"

    def whole(self) -> Collection[str]:
        """The names of those that can be called, as far as it is known."""
        names = (name for name in self.names() if name not in self._broken)
        return [name for name in names if self._given(name).unreadable is None]

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
        given = self._given(name)
        if given.unreadable is not None:
            raise IntegrationBroken(given.unreadable)
        version, found = self._checked.get(name, (-1, ""))
        if version != given.version:  # what was found stays true until they are changed
            found = self._check(name, model, given)
            self._checked[name] = (given.version, found)
            if version != -1:
                self._caches.pop(name, None)  # what was kept under other settings, such as access tokens
        if isinstance(found, str):
            raise NotConfigured(found)
        return found

    def _check(self, name: str, model: type[BaseModel], given: Given) -> BaseModel | str:
        """The validated settings, or in words what is missing."""
        problems = list(setting_problems(model, given.table, given.missing, self._settings.redact))
        if problems:
            told = in_words(name, problems, is_stored=given.is_stored)
            return f'the integration "{name}" is not configured: {told}'
        return model.model_validate(given.table)

    def _given(self, name: str) -> Given:
        table, missing, stored = self._settings.integration(name), self._settings.missing_of(name), None
        if not (table or missing) and name != STATE_CHANGES:
            stored = self._stored()
        if stored is None or not stored.is_used:
            return Given(table, missing)
        there, version = stored.tables.get(name, {}), stored.versions.get(name, 0)
        return Given(there, {}, version, is_stored=True, unreadable=stored.unreadable.get(name))

    def given(self, name: str) -> Given:
        """The settings of an integration as they are given, with their values. Raises UnknownIntegration."""
        self._require(name)
        return self._given(name)

    def settings_place(self, name: str) -> tuple[str, int]:
        """Where its settings stand, and how often they were changed there. Raises UnknownIntegration."""
        given = self.given(name)
        return "database" if given.is_stored else "file", given.version

    def setting_fields(self, name: str) -> Sequence[SettingField]:
        """How each setting of an integration is typed. Raises UnknownIntegration."""
        return setting_fields(self.get(name).settings, self.given(name).table)

    def problems_of(self, name: str, table: Mapping[str, Any]) -> Sequence[SettingProblem]:
        """What would be missing or wrong if these were its settings. Raises UnknownIntegration."""
        model = self.get(name).settings
        if model is None:
            return [SettingProblem("", f"{name} takes no settings")] if table else []
        return list(setting_problems(model, table, {}, self._settings.redact))

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
        given = self._given(name)
        return setting_states(model, given.table, given.missing)


def _fault(error: Mapping[str, Any]) -> str:
    """What is wrong with a payload: path, value, what is expected."""
    path = path_text(("payload", *error["loc"]))
    if error["type"] == "missing":
        return f"{path} is missing"
    shown = json.dumps(error.get("input"), default=str, ensure_ascii=False)
    return f"{path} = {shown if len(shown) <= 80 else f'{shown[:80]}…'} does not fit: {expected(error)}"
