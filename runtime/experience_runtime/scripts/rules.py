"""Findings: what would certainly fail in an experience, told without running it.

Every rule is the one that the run itself applies: the parsers and the plan of `domain`, the names of
`answers`. What only running can tell is passed over.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any

from experience_runtime.domain.errors import (
    ExperienceError,
    InvalidParameter,
    NotLinked,
    UnknownIntegration,
)
from experience_runtime.domain.options import WINDOW_OPTIONS, check_execute_options, check_names
from experience_runtime.domain.planning import SCHEDULE_OPTIONS, check_reason, plan, plan_cancel
from experience_runtime.domain.values import nearest
from experience_runtime.domain.visitors import Visitor
from experience_runtime.engine.ports import Integrations
from experience_runtime.running.guest import Problem
from experience_runtime.scripts.bundle import Bundle
from experience_runtime.scripts.call_sites import Call, Link, seen_calls, seen_links
from experience_runtime.scripts.literals import UNKNOWN, Literal, Member, read_literal
from experience_runtime.scripts.missing_names import of_page, of_requires, without_owned
from experience_runtime.scripts.source import Text

_SOMEBODY = Visitor(id="somebody")
_PASSES_WITH_TIME = frozenset(("beyond_limit", "in_the_past"))
_OBJECTS_OF_META = ("qfns", "visitor", "variations")
_PACKAGE = "package.json"


def find_all(script: Bundle, integrations: Integrations, now: datetime) -> list[Problem]:
    """Everything that would certainly fail, in the order of files and lines."""
    found: list[Problem] = []
    page_names = without_owned(script)
    for source in script.texts:
        for link in seen_links(source):
            found += _of_link(source, link, script, integrations, now)
        for call in seen_calls(source):
            found += _of_call(source, call, now)
        found += of_requires(source, script)
        found += of_page(source, page_names)
    order = {source.file: number for number, source in enumerate(script.texts)}
    unique = dict.fromkeys(found)
    return sorted(unique, key=lambda each: (order[each.file or ""], each.line or 0, each.column or 0))


def find_in_package(text: str) -> list[Problem]:
    """What is of a wrong type in a package.json that is JSON."""
    source = Text(_PACKAGE, text)
    package = read_literal(text, source.code, 0)
    if package.members is None:
        return [
            _problem(
                source, package.at, InvalidParameter('package.json is not an object; write {"meta": {}}')
            )
        ]
    meta = package.members.get("meta")
    if meta is None:
        return []
    found = _not_an_object(source, "meta", meta)
    inner = meta.literal.members or {}
    for name in _OBJECTS_OF_META:
        if member := inner.get(name):
            found += _not_an_object(source, f"meta.{name}", member)
    for name, member in (inner["variations"].literal.members or {}).items() if "variations" in inner else ():
        found += _not_an_object(source, f"meta.variations[{json.dumps(name)}]", member)
    return found


def _not_an_object(source: Text, name: str, member: Member) -> list[Problem]:
    literal = member.literal
    if literal.members is not None or literal.value is None:
        return []
    given = source.text[literal.at : literal.end].strip()
    message = f"{name} {given[:100]} is not an object; write {{…}}, or leave it out"
    return [_problem(source, literal.at, InvalidParameter(message))]


def _of_link(
    source: Text, link: Link, script: Bundle, integrations: Integrations, now: datetime
) -> Iterator[Problem]:
    name, linked = str(link.name.value), script.experience.linked
    at = link.name.at + 1
    if linked is not None and name not in linked:
        meant = nearest(name, linked)
        yield _problem(
            source,
            at,
            NotLinked(
                f"the integration {json.dumps(name)} is not linked to this experience; "
                + (f"did you mean {json.dumps(meant)}? Else " if meant else "")
                + "add it to meta.qfns in package.json"
            ),
        )
    elif name not in integrations.names():
        try:
            integrations.get(name)
        except UnknownIntegration as refusal:
            yield _problem(source, at, refusal)
    members = link.defaults.members if link.defaults else None
    if members is not None:
        yield from _of_members(source, members, lambda given: check_names({}, given), now)


def _of_call(source: Text, call: Call, now: datetime) -> Iterator[Problem]:
    options = call.options
    members = options.members if options else {}
    if members is None or call.is_expected:
        return
    if call.verb == "execute":
        yield from _of_members(source, members, check_execute_options, now)
        return
    wrong = list(_of_members(source, members, lambda given: check_names(given, {}), now))
    yield from wrong
    if not wrong:
        yield from _of_whole(source, call, now)


def _of_members(
    source: Text, members: Mapping[str, Member], check: Callable[[dict[str, object]], object], now: datetime
) -> Iterator[Problem]:
    """Every member by itself: its name, then its value when that is a literal."""
    for name, member in members.items():
        value = member.literal.value
        if value is None:
            continue  # null is left out
        given = {name: "" if value is UNKNOWN else value}
        if value is UNKNOWN and name == "timeout":
            given = {}
        refusal = _refusal(lambda given=given: check(given))  # type: ignore[misc]
        if refusal is not None:
            yield _problem(source, member.literal.at if name == "timeout" else member.name_at, refusal)
        elif name == "window":
            yield from _of_window(source, member.literal, now)
        elif value is not UNKNOWN and (refusal := _refusal_of_value(name, value, now)):
            yield _problem(source, member.literal.at, refusal)


def _refusal_of_value(name: str, value: object, now: datetime) -> ExperienceError | None:
    if name == "reason":
        return _refusal(lambda: check_reason(value))
    if name not in SCHEDULE_OPTIONS:
        return None
    given: dict[str, object] = {name: value} if name in ("delay", "time") else {"delay": 0, name: value}
    refusal = _refusal(lambda: plan(given, now=now, visitor=_SOMEBODY))
    # an instant that is out of reach today may be within it on another day
    return None if refusal and name == "time" and refusal.code in _PASSES_WITH_TIME else refusal


def _of_window(source: Text, window: Literal, now: datetime) -> Iterator[Problem]:
    members = window.members
    if members is None:
        if window.value is not UNKNOWN and (refusal := _refusal_of_value("window", window.value, now)):
            yield _problem(source, window.at, refusal)
        return
    is_found = False
    for name, member in members.items():
        value = member.literal.value
        if value is None or (value is UNKNOWN and name in WINDOW_OPTIONS):
            continue
        given = "" if value is UNKNOWN else value
        if refusal := _refusal_of_value("window", {name: given}, now):
            is_found = True
            yield _problem(source, member.literal.at if name in WINDOW_OPTIONS else member.name_at, refusal)
    whole = UNKNOWN if is_found else window.value
    if whole is not UNKNOWN and (refusal := _refusal_of_value("window", whole, now)):
        yield _problem(source, window.at, refusal)


def _of_whole(source: Text, call: Call, now: datetime) -> Iterator[Problem]:
    """What a call lacks, or has too much of."""
    options, defaults = call.options, call.link.defaults
    given = _given(options)
    at = call.at if options is None else options.at
    if call.verb == "schedule" and _is_known(options, "delay") and _is_known(options, "time"):
        assert options is not None
        second = max((options.members or {})[name].name_at for name in ("delay", "time"))
        if refusal := _refusal(lambda: plan(given, now=now, visitor=_SOMEBODY)):
            yield _problem(source, second, refusal)
        return
    needed = ("key",) if call.verb == "cancel" else ("delay", "time")
    if any(_may_have(part, name) for part in (options, defaults) for name in needed):
        return
    decide = plan_cancel if call.verb == "cancel" else plan
    arguments: dict[str, Any] = {} if call.verb == "cancel" else {"now": now}
    if refusal := _refusal(lambda: decide({}, visitor=_SOMEBODY, **arguments)):
        yield _problem(source, at, refusal)


def _given(options: Literal | None) -> dict[str, object]:
    members = (options.members if options else None) or {}
    return {name: each.literal.value for name, each in members.items() if each.literal.value is not UNKNOWN}


def _is_known(options: Literal | None, name: str) -> bool:
    return _given(options).get(name) is not None


def _may_have(part: Literal | None, name: str) -> bool:
    """Whether an options object may hold a value under this name; one that is left out holds none."""
    if part is None:
        return False
    if part.members is None:
        return part.value is UNKNOWN or part.is_spread
    member = part.members.get(name)
    return not part.is_whole or (member is not None and member.literal.value is not None)


def _refusal(check: Callable[[], object]) -> ExperienceError | None:
    try:
        check()
    except ExperienceError as refusal:
        return refusal
    return None


def _problem(source: Text, at: int, refusal: ExperienceError) -> Problem:
    return source.problem(refusal.code, refusal.message, at)
