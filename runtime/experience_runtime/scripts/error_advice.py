"""Advice: what an author can do about an error that a running script ended with.

Told by the engine's message and the author's own line, after the fact: nothing is put into the script's
scope, so `typeof document` stays 'undefined' for files that look before they touch.
"""

import re
from collections.abc import Mapping, Sequence

from experience_runtime.domain.values import nearest
from experience_runtime.running.guest import Position
from experience_runtime.scripts.literals import UNKNOWN, read_literal
from experience_runtime.scripts.source import Text

_NO_PAGE = (
    "there is no page here; take what you need from options.data, options.getBrowserState() or options.uv"
)
_NO_NETWORK = "nothing leaves from here; call options.integration('webhook') instead"
_NO_STORE = "the browser's stores are not here; use options.cookies, or options.state within a run"
PAGE_NAMES: Mapping[str, str] = {
    **dict.fromkeys(("document", "HTMLElement", "MutationObserver", "IntersectionObserver"), _NO_PAGE),
    **dict.fromkeys(
        ("Image", "Element", "CustomEvent", "getComputedStyle", "requestAnimationFrame"), _NO_PAGE
    ),
    **dict.fromkeys(("jQuery", "$"), _NO_PAGE),
    **dict.fromkeys(("location", "navigator"), "there is no browser here; use options.getBrowserState()"),
    **dict.fromkeys(("localStorage", "sessionStorage", "indexedDB"), _NO_STORE),
    **dict.fromkeys(("XMLHttpRequest", "fetch", "WebSocket", "EventSource"), _NO_NETWORK),
    **dict.fromkeys(("alert", "confirm", "prompt"), "nobody is looking here; use options.log.info(…)"),
    **dict.fromkeys(("universal_variable", "dataLayer", "ga"), "the page's data is not here; use options.uv"),
    "process": "there is no process here; settings belong in options.data",
    "Buffer": "there is no Node.js here; use plain texts",
}
"""What browsers and Node.js have in every scope and this sandbox does not, with what to use instead."""

# fmt: off
OPTIONS_MEMBERS = (
    "integration", "log", "state", "meta", "data", "solution", "getVisitorState", "getBrowserState", "uv",
    "emitCustomGoal", "emitMetric", "cookies", "poll", "onRemove", "onActivation", "redirectTo",
    "registerContentAreas", "unregisterContentAreas", "isMemberOf", "getMemberships",
    "onMembershipsChanged", "react",
)
# fmt: on
"""What `options` has. Source: reference/options."""

_INTEGRATION_MEMBERS = ("execute", "schedule", "cancel")
_UNDEFINED_NAME = re.compile(r"ReferenceError: (?P<name>[\w$]+) is not defined")
_NOT_INITIALIZED = re.compile(r"ReferenceError: (?P<name>[\w$]+) is not initialized")
_OF_NOTHING = re.compile(
    r"TypeError: cannot (?P<what>read|set) property '(?P<name>.*?)' of (?P<of>undefined|null)"
)
_READ_ONLY = re.compile(r"TypeError: '(?P<name>[\w$]+)' is read-only")
_OWN_NAME = re.compile(r"\b(?:const|let|var|function|class)\s+([A-Za-z_$][\w$]*)")
_CHAIN = re.compile(r"(?<![\w$.])(?P<of>[A-Za-z_$][\w$]*)\s*\.\s*(?P<name>[A-Za-z_$][\w$]*)")
_ALWAYS_THERE = ("options", "require", "module", "exports", "console", "App")
_FIXES = (
    ("RangeError: Maximum call stack size exceeded", "a function calls itself without end"),
    ("InternalError: stack overflow", "a function calls itself without end"),
    ("SyntaxError: ", "the text that was read when the script ran is at fault"),
    (
        "Error: The integration ",
        "link it in meta.qfns of package.json; `experience integrations list` has the names",
    ),
)


def advise(message: str, position: Position | None, source: Text) -> str:
    """The message with what to do about it; as it is when that is not known."""
    if undefined := _UNDEFINED_NAME.match(message):
        return f"{message}: {_about_name(undefined['name'], source)}"
    if _NOT_INITIALIZED.match(message):
        return f"{message} yet: it is used above the line that declares it; move that line up"
    if _READ_ONLY.match(message):
        return f"{message}: it is a const; declare it with let to change it"
    at = 0 if position is None else source.offset(position)
    if of_nothing := _OF_NOTHING.match(message):
        return _about_nothing(message, of_nothing, at, source)
    if message == "TypeError: not a function":
        return _about_call(message, at, source)
    return next((f"{message}; {fix}" for start, fix in _FIXES if message.startswith(start)), message)


def _about_name(name: str, source: Text) -> str:
    if name in PAGE_NAMES:
        return PAGE_NAMES[name]
    known = [*_ALWAYS_THERE, *_OWN_NAME.findall(source.code)]
    meant = nearest(name, (each for each in known if each != name), cutoff=0.8)
    return f"did you mean {meant}?" if meant else "declare it, or bring it in with require('./utils')"


def _about_nothing(message: str, found: re.Match[str], at: int, source: Text) -> str:
    chain = _chain_at(at, source)
    if chain and chain["of"] == "options" and chain["name"] not in OPTIONS_MEMBERS:
        return f"{message}: {_no_member('options', chain['name'], OPTIONS_MEMBERS)}"
    if chain and chain["of"] in ("globalThis", "window") and chain["name"] in PAGE_NAMES:
        return f"{message}: {chain['name']}: {PAGE_NAMES[chain['name']]}"
    if found["name"] in PAGE_NAMES:
        return f"{message}: {PAGE_NAMES[found['name']]}"
    return f"{message}: look whether the value is there before you {found['what']} {found['name']}"


def _about_call(message: str, at: int, source: Text) -> str:
    chain = _chain_at(at, source)
    if chain is None:
        return f"{message}; look at the name before the bracket"
    called = f"TypeError: {chain['of']}.{chain['name']} is not a function"
    if chain["of"] == "options" and chain["name"] not in OPTIONS_MEMBERS:
        return f"{called}: {_no_member('options', chain['name'], OPTIONS_MEMBERS)}"
    if chain["of"] != "options" and (meant := nearest(chain["name"], _INTEGRATION_MEMBERS)):
        return f"{called}; did you mean {meant}?"
    return f"{called}; look at the name before the bracket"


def _no_member(of: str, name: str, members: Sequence[str]) -> str:
    meant = nearest(name, members)
    return f"{of} has no {name}; " + (
        f"did you mean {of}.{meant}?" if meant else f"it has {', '.join(members)}"
    )


def _chain_at(at: int, source: Text) -> re.Match[str] | None:
    """The `name.name` that the place lies in."""
    start = source.code.rfind("\n", 0, at) + 1
    start = max(start, at - 300)
    return next(
        (each for each in _CHAIN.finditer(source.code, start, at + 200) if each.start() <= at < each.end()),
        None,
    )


_THROW = re.compile(r"(?<![\w$.])(?:throw(?![\w$])(?!\s*:)|Promise\s*\.\s*reject\s*\()")


_AN_ERROR = re.compile(r"\s*new\s+(?:Eval|Range|Reference|Syntax|Type|URI|Aggregate)?Error\b")


# ways to throw a value, or to reject with one, that do not say so where it happens
_HIDDEN = re.compile(
    r"\bnew\s+Promise\b|withResolvers|\beval\b|\bFunction\b|\.\s*throw\b|Promise\s*\.\s*try\b|\bError\s*="
)


def only_throw(sources: list[Text], text: str) -> tuple[Text, int] | None:
    """The one place that can have thrown a value that reads as `text`; None when there may be others."""
    found: list[tuple[Text, int]] = []
    for source in sources:
        if _HIDDEN.search(source.code):
            return None
        found += [
            (source, each.start())
            for each in _THROW.finditer(source.code)
            if not _AN_ERROR.match(source.code, each.end()) and _may_be(source, each.end(), text)
        ]
    return found[0] if len(found) == 1 else None


def _may_be(source: Text, at: int, text: str) -> bool:
    value = read_literal(source.text, source.code, at).value
    match value:
        case None | bool() | int():
            # null and undefined read alike here
            return text in (("null", "undefined") if value is None else (str(value).lower(),))
        case str():
            return text == value[:4096]
        case _:
            return value is UNKNOWN or not isinstance(value, str)
