"""Findings: what would certainly fail in an experience, told without running it.

Every rule is the one that the run itself applies: the parsers and the plan of `domain`, the names of
`answers`. What only running can tell is passed over.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from experience_runtime.domain.doubts import doubts_of
from experience_runtime.domain.errors import (
    ExperienceError,
    InvalidParameter,
    NotLinked,
    UnknownIntegration,
)
from experience_runtime.domain.lost import a_lost, fix_of_lost
from experience_runtime.domain.options import WINDOW_OPTIONS, check_execute_options, check_names
from experience_runtime.domain.planning import SCHEDULE_OPTIONS, check_reason, plan, plan_cancel
from experience_runtime.domain.values import nearest
from experience_runtime.domain.visitors import Visitor
from experience_runtime.engine.ports import Integrations
from experience_runtime.running.guest import Problem
from experience_runtime.scripts.bundle import Bundle
from experience_runtime.scripts.facts import (
    UNKNOWN,
    Call,
    FileFacts,
    Link,
    Literal,
    Member,
    Place,
    Wait,
    read_facts,
    read_literal,
)
from experience_runtime.scripts.names import INTEGRATION_MEMBERS
from experience_runtime.scripts.reader import CHECK_CPU_SECONDS, shared_reader

_SOMEBODY = Visitor(id="somebody")
_PASSES_WITH_TIME = frozenset(("beyond_limit", "in_the_past"))
_OBJECTS_OF_META = ("qfns", "visitor", "variations")
_LISTS_OF_META = ("segments", "customGoals")
_PACKAGE = "package.json"
_OF_PACKAGE = (
    "meta",
    "traffic",
    "name",
    "version",
    "description",
    "dependencies",
    "devDependencies",
    "scripts",
)
PACKAGE_META = (
    "experienceId", "iterationId", "variations", "qfns", "templateData", "solutionOptions", "visitor", "name",
    "customGoals", "segments", "cookieDomain", "trackingId", "vertical", "namespace", "isPreview",
    "propertyId", "previewUrl", "triggers",
)  # fmt: skip
MOST_PROBLEMS = 100


def find_all(
    script: Bundle, integrations: Integrations, now: datetime
) -> tuple[list[Problem], list[Problem]]:
    """Everything that would certainly fail, in the order of files and lines; then what is doubtful."""
    answer = script.ask_check()
    if answer is None:
        said = "the files are too long, or too odd, to look into; only their syntax was checked"
        return [], [Problem(code="limit_cpu", message=said)]
    found: list[Problem] = []
    doubts: list[Problem] = []
    files = read_facts(answer)
    for facts in files:
        for link in facts.links:
            found += _of_link(facts, link, script, integrations, now)
        for call in facts.calls:
            found += _of_call(facts, call, now)
            doubts += _doubts(facts, call)
        found += _of_members(facts)
        found += facts.problems
        if facts.decides_nothing:
            said = (
                "these triggers export no function, so the variation runs for everybody; "
                "write module.exports = function triggers (options, cb) {…}"
            )
            doubts.append(facts.problem("script_error", said, (1, 1)))
        elif facts.returned is not None:
            said = "this function is returned, and nobody calls it; call it, or write return { remove: … }"
            doubts.append(facts.problem("script_error", said, facts.returned))
        elif facts.answers_early is not None:
            said = (
                "async triggers say yes when they end, also before this event has come, so the variation "
                "runs for everybody; leave async out, or await a promise that the listener fulfils"
            )
            doubts.append(facts.problem("script_error", said, facts.answers_early))
        elif facts.is_blank:
            doubts.append(facts.problem("script_error", "this file is empty, so nothing runs", (1, 1)))
    order = {facts.file: number for number, facts in enumerate(files)}
    return _in_order(found, order)[:MOST_PROBLEMS], _in_order(doubts, order)[:MOST_PROBLEMS]


def waits_of(script: Bundle) -> list[Wait]:
    """What the triggers wait for, or read of the browser, the visitor and the cookies, in their order."""
    return [wait for facts in read_facts(script.ask_check() or ()) for wait in facts.waits]


def _in_order(problems: list[Problem], order: Mapping[str, int]) -> list[Problem]:
    unique = dict.fromkeys(problems)
    return sorted(unique, key=lambda each: (order[each.file or ""], each.line or 0, each.column or 0))


def find_in_package(text: str) -> tuple[list[Problem], list[Problem]]:
    """What is of a wrong type in a package.json that is JSON; then the names in it that look mistyped."""
    package = _read_package(text)
    if package is None:
        return [], []
    facts = FileFacts(file=_PACKAGE, links=(), calls=(), members=(), problems=(), is_blank=False)
    if package.members is None:
        message = 'package.json is not an object; write {"meta": {}}'
        return [_problem(facts, package.at, InvalidParameter(message))], []
    doubts = _mistyped(facts, package.members, _OF_PACKAGE, "")
    meta = package.members.get("meta")
    if meta is None:
        return [], doubts
    found = _not_an_object(facts, "meta", meta)
    inner = meta.literal.members or {}
    doubts += _mistyped(facts, inner, PACKAGE_META, "meta.")
    for name in _OBJECTS_OF_META:
        if member := inner.get(name):
            found += _not_an_object(facts, f"meta.{name}", member)
    for name in _LISTS_OF_META:
        if (member := inner.get(name)) and not isinstance(member.literal.value, list | None):
            message = f"meta.{name} {member.literal.text} is not a list; write […], or leave it out"
            found.append(_problem(facts, member.literal.at, InvalidParameter(message)))
    for name, member in (inner["variations"].literal.members or {}).items() if "variations" in inner else ():
        found += _not_an_object(facts, f"meta.variations[{json.dumps(name)}]", member)
    return found, doubts


def _read_package(text: str) -> Literal | None:
    """A package.json as a literal, every value with its place; None when the reader gives up."""
    # as an expression, whose own lines begin below a bracket's
    asked = {"file": "package.json.js", "role": "package", "text": f"(\n{text}\n)"}
    answer = shared_reader().ask({"ask": "package", "files": [asked]}, cpu_seconds=CHECK_CPU_SECONDS)
    return read_literal(answer, lines_above=1)


def _mistyped(
    facts: FileFacts, members: Mapping[str, Member], known: Sequence[str], prefix: str
) -> list[Problem]:
    found = []
    for name, member in members.items():
        meant = None if name in known else nearest(name, [each for each in known if each not in members])
        if meant is not None:
            message = f"{prefix}{name} has no effect; did you mean {prefix}{meant}?"
            found.append(_problem(facts, member.name_at, InvalidParameter(message)))
    return found


def _not_an_object(facts: FileFacts, name: str, member: Member) -> list[Problem]:
    literal = member.literal
    if literal.members is not None or literal.value is None:
        return []
    message = f"{name} {literal.text} is not an object; write {{…}}, or leave it out"
    return [_problem(facts, literal.at, InvalidParameter(message))]


def _of_members(facts: FileFacts) -> Iterator[Problem]:
    """Members that no integration has: called, or spelled nearly as one that it has."""
    for name, is_called, at in facts.members:
        meant = nearest(name, INTEGRATION_MEMBERS)
        if is_called or meant:
            hint = f"did you mean {meant}?" if meant else f"it has {', '.join(INTEGRATION_MEMBERS)}"
            yield facts.problem("script_error", f"an integration has no {name}; {hint}", at)


def _doubts(facts: FileFacts, call: Call) -> Iterator[Problem]:
    """What is allowed and seldom meant."""
    for what, at in call.lost:
        said = f"{a_lost(what)} in the payload goes out as an empty object; {fix_of_lost(what)}"
        yield facts.problem("invalid_payload", said, at)
    given = _given(call.options)
    if (
        call.verb != "schedule"
        or call.options is None
        or _is_known(call.options, "delay") == _is_known(call.options, "time")
    ):
        return
    members = call.options.members or {}
    for name in ("delay", "time", "window"):
        if given.get(name) is None:
            continue
        for warning in doubts_of({name: given[name]}):
            yield facts.problem(f"invalid_{name}", warning, members[name].literal.at)


def _of_link(
    facts: FileFacts, link: Link, script: Bundle, integrations: Integrations, now: datetime
) -> Iterator[Problem]:
    name, linked = str(link.name.value), script.experience.linked
    at = (link.name.at[0], link.name.at[1] + 1)
    if linked is not None and name not in linked:
        meant = nearest(name, linked)
        yield _problem(
            facts,
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
            yield _problem(facts, at, refusal)
    members = link.defaults.members if link.defaults else None
    if members is not None:
        yield from _of_each(facts, members, lambda given: check_names({}, given), now)


def _of_call(facts: FileFacts, call: Call, now: datetime) -> Iterator[Problem]:
    options = call.options
    members = options.members if options else {}
    if members is None or call.is_expected:
        return
    if call.verb == "execute":
        yield from _of_each(facts, members, check_execute_options, now)
        return
    wrong = list(_of_each(facts, members, lambda given: check_names(given, {}), now))
    yield from wrong
    if not wrong:
        yield from _of_whole(facts, call, now)


def _of_each(
    facts: FileFacts,
    members: Mapping[str, Member],
    check: Callable[[dict[str, object]], object],
    now: datetime,
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
            yield _problem(facts, member.literal.at if name == "timeout" else member.name_at, refusal)
        elif name == "window":
            yield from _of_window(facts, member.literal, now)
        elif value is not UNKNOWN and (refusal := _refusal_of_value(name, value, now)):
            yield _problem(facts, member.literal.at, refusal)


def _refusal_of_value(name: str, value: object, now: datetime) -> ExperienceError | None:
    if name == "reason":
        return _refusal(lambda: check_reason(value))
    if name not in SCHEDULE_OPTIONS:
        return None
    given: dict[str, object] = {name: value} if name in ("delay", "time") else {"delay": 0, name: value}
    refusal = _refusal(lambda: plan(given, now=now, visitor=_SOMEBODY))
    # an instant that is out of reach today may be within it on another day
    return None if refusal and name == "time" and refusal.code in _PASSES_WITH_TIME else refusal


def _of_window(facts: FileFacts, window: Literal, now: datetime) -> Iterator[Problem]:
    members = window.members
    if members is None:
        if window.value is not UNKNOWN and (refusal := _refusal_of_value("window", window.value, now)):
            yield _problem(facts, window.at, refusal)
        return
    is_found = False
    for name, member in members.items():
        value = member.literal.value
        if value is None or (value is UNKNOWN and name in WINDOW_OPTIONS):
            continue
        given = "" if value is UNKNOWN else value
        if refusal := _refusal_of_value("window", {name: given}, now):
            is_found = True
            yield _problem(facts, member.literal.at if name in WINDOW_OPTIONS else member.name_at, refusal)
    whole = UNKNOWN if is_found else window.value
    if whole is not UNKNOWN and (refusal := _refusal_of_value("window", whole, now)):
        yield _problem(facts, window.at, refusal)


def _of_whole(facts: FileFacts, call: Call, now: datetime) -> Iterator[Problem]:
    """What a call lacks, or has too much of."""
    options, defaults = call.options, call.defaults
    given = _given(options)
    at = call.at if options is None else options.at
    if call.verb == "schedule" and _is_known(options, "delay") and _is_known(options, "time"):
        assert options is not None
        second = max((options.members or {})[name].name_at for name in ("delay", "time"))
        if refusal := _refusal(lambda: plan(given, now=now, visitor=_SOMEBODY)):
            yield _problem(facts, second, refusal)
        return
    needed = ("key",) if call.verb == "cancel" else ("delay", "time")
    if any(_may_have(part, name) for part in (options, defaults) for name in needed):
        return
    decide = plan_cancel if call.verb == "cancel" else plan
    arguments: dict[str, Any] = {} if call.verb == "cancel" else {"now": now}
    if refusal := _refusal(lambda: decide({}, visitor=_SOMEBODY, **arguments)):
        yield _problem(facts, at, refusal)


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


def _problem(facts: FileFacts, at: Place, refusal: ExperienceError) -> Problem:
    return facts.problem(refusal.code, refusal.message, at)
