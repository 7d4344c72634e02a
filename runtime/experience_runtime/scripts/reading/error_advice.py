"""Advice: what an author can do about an error that a running script ended with, and where it stands.

Told by the engine's message and the author's own tree, after the fact: nothing is put into the script's
scope, so `typeof document` stays 'undefined' for files that look before they touch.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from tree_sitter import Node

from experience_runtime.domain.values import nearest
from experience_runtime.scripts.names import (
    INTEGRATION_MEMBERS,
    OPTIONS_MEMBERS,
    PAGE_NAMES,
    WEB_NAMES,
)
from experience_runtime.scripts.reading.brought import import_of, not_exported
from experience_runtime.scripts.reading.call_places import calling_place, refused_place
from experience_runtime.scripts.reading.code import Code
from experience_runtime.scripts.reading.exports import misnamed_exports
from experience_runtime.scripts.reading.literals import UNKNOWN, Reading
from experience_runtime.scripts.reading.not_found import module_hint
from experience_runtime.scripts.reading.page_aliases import page_name, said_of
from experience_runtime.scripts.reading.part_advice import of_part
from experience_runtime.scripts.reading.scopes import Scopes
from experience_runtime.scripts.reading.source import FUNCTIONS, Place, Source, ancestors, walk
from experience_runtime.scripts.reading.syntax_advice import explain, without_a_place

Frame = tuple[Source, Place]
Chain = tuple[str, str]

_MOST_NAMES = 2000
_REFUSED = re.compile(
    r"Error: Failed to perform (?P<verb>execute|schedule|cancel) action: (?P<why>.*)", re.DOTALL
)
_NOT_FOUND = re.compile(r"Error: cannot find module (?P<name>[^;]{1,200});")
_NOT_EXPORTED = re.compile(
    r"Error: (?P<target>.{1,200}?) exports no (?P<name>.{1,100}?); it exports (?P<known>.*)", re.DOTALL
)
_NO_FUNCTION = re.compile(r"TypeError: the \w+ exports \w+, not a function")
_IMPORTED = re.compile(r"could not load module|import\(\)|module loading")
_ASSIGNMENTS = frozenset(("assignment_expression", "augmented_assignment_expression", "update_expression"))
_REJECTS = (b"Promise.reject",)
_ERRORS = frozenset(
    f"{kind}Error" for kind in ("", "Eval", "Range", "Reference", "Syntax", "Type", "URI", "Aggregate")
)
_UNDEFINED_NAME = re.compile(r"ReferenceError: (?P<name>[\w$]+) is not defined")
_NOT_INITIALIZED = re.compile(r"ReferenceError: (?P<name>[\w$]+) is not initialized")
_OF_A_NAME = re.compile(r"ReferenceError: [\w$]+ is not (defined|initialized)")
_OF_NOTHING = re.compile(
    r"TypeError: cannot (?P<what>read|set) property '(?P<name>.*?)' of (?P<of>undefined|null)"
)
_READ_ONLY = re.compile(r"TypeError: '(?P<name>[\w$]+)' is read-only")
_OWN_NAME = re.compile(r"\b(?:const|let|var|function|class)\s+([A-Za-z_$][\w$]*)")
_ALWAYS_THERE = ("options", "require", "module", "exports", "console", "App")
_FIXES = (
    (
        "RangeError: Maximum call stack size exceeded",
        "a function calls itself without end, or a text or a value is nested too deeply",
    ),
    (
        "TypeError: class constructors must be invoked with 'new'",
        "it is a class; export a function, and make what the class is for in it",
    ),
    ("InternalError: stack overflow", "a function calls itself without end"),
    ("SyntaxError: ", "the text that was read when the script ran is at fault"),
    (
        "Error: The integration ",
        "link it in meta.qfns of package.json; `experience integrations list` has the names",
    ),
)


def advise(files: list[Source], asked: Mapping[str, Any]) -> dict[str, Any]:
    """{"message", "place": {"file", "line", "column"} or None} for an error: `asked` has its "code", its
    "message" and its "frames" [{"file", "line", "column"}], innermost first."""
    code, message = asked["code"], asked["message"]
    by_file = {source.file: source for source in files}
    frames = [
        (by_file[each["file"]], (each["line"], each["column"]), each["name"])
        for each in asked["frames"]
        if each["file"] in by_file
    ]
    at = _first(frames)
    frame = None if at is None else (at[0], at[1])
    if code == "syntax_error":
        told = without_a_place(message, files) if frame is None else explain(message, *frame)
        message, frame = told
    elif (refused := _REFUSED.match(message)) is not None:
        frame = None if frame is None else (frame[0], refused_place(*frame, refused["verb"], refused["why"]))
    elif (missing := _NOT_FOUND.match(message)) is not None:
        own = [f"./{stem}" for stem in ("utils", "common") if {f"{stem}.js", f"{stem}.ts"} & by_file.keys()]
        hint = module_hint(missing["name"], own, asked["beside"])
        message = f"{message.partition('; there is no utils.js')[0]}; {hint}"
    elif frame is not None and (absent := _NOT_EXPORTED.fullmatch(message)) is not None:
        node = import_of(frame[0], absent["target"], absent["name"])
        if node is not None:
            known = [] if absent["known"] == "nothing" else absent["known"].split(", ")
            message = f"Error: {not_exported(absent['target'], absent['name'], known)}"
            frame = frame[0], frame[0].place(node.start_byte)
    elif (found := _known_mistake(message, files, asked["role"])) is not None:
        message, frame = found
    elif code == "script_error" and not asked["has_stack"]:
        message, frame = _no_error(files, message)
    elif code in ("script_error", "not_linked"):
        if frame is not None and (written := _READ_ONLY.match(message)):
            frame = frame[0], _assignment_place(*frame, written["name"])
        elif frame is not None and code == "script_error" and not _OF_A_NAME.match(message):
            frame = frame[0], calling_place(*frame)
        message = _advised(message, frame, files)
    place = None
    if frame is not None:
        place = {"file": frame[0].file, "line": frame[1][0], "column": frame[1][1]}
    return {"message": message, "place": place}


def _known_mistake(message: str, files: Sequence[Source], role: str) -> tuple[str, Frame] | None:
    """Mistakes that the engine names no place of: an export by another name, and `import()`."""
    entry = next((source for source in files if source.role == role), None)
    if _NO_FUNCTION.match(message) and entry is not None:
        for said, place in misnamed_exports(entry):
            return said, (entry, place)
    if _IMPORTED.search(message):
        for source in files:
            for node in walk(source.root):
                if (
                    node.type == "import"
                    and node.parent is not None
                    and node.parent.type == "call_expression"
                ):
                    said = "import() brings nothing in here; write require('./utils')"
                    return said, (source, source.place(node.start_byte))
    return None


def _assignment_place(source: Source, place: Place, name: str) -> Place:
    """Where a const is assigned to: at the place, or nearest before it."""
    at = source.offset(place)
    found = None
    for node in walk(source.root):
        if node.start_byte > at:
            break
        target = node.child_by_field_name("left") or node.child_by_field_name("argument")
        is_written = node.type in _ASSIGNMENTS and target is not None
        if is_written and target is not None and source.text(target) == name:
            found = node
    return place if found is None else source.place(found.start_byte)


def _first(frames: Sequence[tuple[Source, Place, str]]) -> tuple[Source, Place, str] | None:
    """The place to show: of an Error's own constructor, the place that calls it."""
    for at, frame in enumerate(frames):
        if at + 1 == len(frames) or not _is_in_constructor(*frame):
            return frame
    return None


def _is_in_constructor(source: Source, place: Place, name: str) -> bool:
    """Whether a place is a class's own, or its call of `super`. Of a class without a constructor, the engine
    names the class and its line."""
    node = source.node_at(source.offset(place))
    for each in (node, *ancestors(node)):
        function = each.child_by_field_name("function") if each.type == "call_expression" else None
        if each.type == "super" or (function is not None and function.type == "super"):
            return True
        if each.type in FUNCTIONS:
            break
    line = source.offset((place[0], 1)), source.offset(place)
    begun = source.data[max(line[0], line[1] - 1000) : line[1] + 100].partition(b"\n")[0]
    of_class = rb"\bclass\s{1,100}" + re.escape(name.encode()) + rb"\b"
    return name != "" and re.search(of_class, begun) is not None


def _advised(message: str, frame: Frame | None, files: Sequence[Source]) -> str:
    """The message with what to do about it; as it is when that is not known."""
    if undefined := _UNDEFINED_NAME.match(message):
        return f"{message}: {_about_name(undefined['name'], files if frame is None else [frame[0]])}"
    if _NOT_INITIALIZED.match(message):
        return f"{message} yet: it is used above the line that declares it; move that line up"
    if _READ_ONLY.match(message):
        return f"{message}: it is a const; declare it with let to change it"
    chain = None if frame is None else _chain_at(*frame)
    if of_nothing := _OF_NOTHING.match(message):
        said = _about_alias(frame)
        return f"{message}: {said}" if said else _about_nothing(message, of_nothing, chain)
    if message == "TypeError: not a function":
        of_answer = None if frame is None else _of_answer(*frame)
        said = _about_alias(frame) or (None if frame is None else of_part(*frame))
        return said or _about_call(message, of_answer or chain)
    return next((f"{message}; {fix}" for start, fix in _FIXES if message.startswith(start)), message)


def _about_name(name: str, files: Sequence[Source]) -> str:
    for names in (PAGE_NAMES, WEB_NAMES):
        if name in names:
            return names[name]
    if name in OPTIONS_MEMBERS:
        return f"it is a member of options; write options.{name}"
    known = [*_ALWAYS_THERE]
    for source in files:
        known += _OWN_NAME.findall(Code(source).code)[:_MOST_NAMES]
    meant = nearest(name, (each for each in known if each != name), cutoff=0.8)
    return f"did you mean {meant}?" if meant else "declare it, or bring it in with require('./utils')"


def _about_nothing(message: str, found: re.Match[str], chain: Chain | None) -> str:
    if chain and chain[0] == "options" and chain[1] not in OPTIONS_MEMBERS:
        return f"{message}: {_no_member('options', chain[1], OPTIONS_MEMBERS)}"
    if chain and chain[0] in ("globalThis", "window") and chain[1] in PAGE_NAMES:
        return f"{message}: {chain[1]}: {PAGE_NAMES[chain[1]]}"
    if found["name"] in PAGE_NAMES:
        return f"{message}: {PAGE_NAMES[found['name']]}"
    return f"{message}: look whether the value is there before you {found['what']} {found['name']}"


def _about_call(message: str, chain: Chain | None) -> str:
    if chain is None:
        return f"{message}; look at the name before the bracket"
    of, name = chain
    called = f"TypeError: {of}.{name} is not a function"
    if of == "options" and name not in OPTIONS_MEMBERS:
        return f"{called}: {_no_member('options', name, OPTIONS_MEMBERS)}"
    if of != "options" and (meant := nearest(name, INTEGRATION_MEMBERS)):
        hint = f"did you mean {meant}?" if meant != name else f"call {name} of the integration itself"
        return f"{called}; {hint}"
    if of.endswith("integration(…)"):
        return f"{called}; an integration has {', '.join(INTEGRATION_MEMBERS)}"
    return f"{called}; look at the name before the bracket"


def _about_alias(frame: Frame | None) -> str | None:
    """What to do about a name that stands for something of a page; None for any other."""
    if frame is None:
        return None
    source, place = frame
    node: Node | None = source.node_at(source.offset(place))
    if node is not None and node.type == "property_identifier" and node.parent is not None:
        node = node.parent.child_by_field_name("object")
    scopes = Scopes(source)
    declared = scopes.declared(node) if node is not None and node.type == "identifier" else None
    page = None if declared is None else page_name(scopes, declared)
    return said_of(declared.name, page) if declared is not None and page is not None else None


def _no_member(of: str, name: str, members: Sequence[str]) -> str:
    meant = nearest(name, members)
    if name in INTEGRATION_MEMBERS:
        return f"{of} has no {name}; write options.integration('…').{name}(…)"
    return f"{of} has no {name}; " + (
        f"did you mean {of}.{meant}?" if meant else f"it has {', '.join(members)}"
    )


def _chain_at(source: Source, place: Place) -> Chain | None:
    """The first two names of the `name.name…` that a place lies in."""
    node: Node | None = source.node_at(source.offset(place))
    while node is not None and node.type not in ("member_expression", "call_expression"):
        parent = node.parent
        if parent is None or parent.type not in ("member_expression", "call_expression", "arguments"):
            return None
        node = parent
    chain = None
    while node is not None and node.type in ("member_expression", "call_expression"):
        of, name = node.child_by_field_name("object"), node.child_by_field_name("property")
        if of is not None and name is not None and of.type == "identifier":
            chain = source.text(of), source.text(name)
        node = of or node.child_by_field_name("function")
    return chain


def _of_answer(source: Source, place: Place) -> Chain | None:
    """Of a place in `name(…).name` the call without what it is given, and the name after it."""
    node = source.node_at(source.offset(place)).parent
    of = None if node is None or node.type != "member_expression" else node.child_by_field_name("object")
    name = None if node is None else node.child_by_field_name("property")
    function = None if of is None or of.type != "call_expression" else of.child_by_field_name("function")
    if name is None or function is None:
        return None
    return f"{source.words(function, 40)}(…)", source.text(name)


def _no_error(files: Sequence[Source], text: str) -> tuple[str, Frame | None]:
    found = _only_throw(files, text)
    said = f"{text or 'an empty text'} was thrown, which is no Error; write throw new Error('…') to see where"
    return said, None if found is None else (found[0], found[0].place(found[1].start_byte))


def _only_throw(files: Sequence[Source], text: str) -> tuple[Source, Node] | None:
    """The one place that can have thrown a value that reads as `text`; None when there may be others."""
    found: list[tuple[Source, Node]] = []
    for source in files:
        if _HIDDEN.search(Code(source).code):
            return None
        reading = Reading(source)
        found += [
            (source, place)
            for place, value in _thrown(source)
            if not _is_an_error(value) and _may_be(reading.literal(value).value, text)
        ]
        if len(found) > 1:
            return None
    return found[0] if found else None


def _thrown(source: Source) -> Iterator[tuple[Node, Node]]:
    """Every `throw` and `Promise.reject(…)`, and the value."""
    for node in walk(source.root):
        if node.type == "throw_statement" and node.named_children:
            yield node, node.named_children[0]
        elif node.type == "call_expression":
            function, arguments = (node.child_by_field_name(name) for name in ("function", "arguments"))
            if function is not None and function.text in _REJECTS and arguments is not None:
                yield node, (arguments.named_children or [arguments])[0]


def _is_an_error(value: Node) -> bool:
    made = value.child_by_field_name("constructor") if value.type == "new_expression" else None
    return made is not None and made.text is not None and made.text.decode("utf-8", "replace") in _ERRORS


def _may_be(value: object, text: str) -> bool:
    match value:
        case None | bool() | int():
            # null and undefined read alike here
            return text in (("null", "undefined") if value is None else (str(value).lower(),))
        case str():
            return text == value[:4096]
        case _:
            return value is UNKNOWN or not isinstance(value, str)


# ways to throw a value, or to reject with one, that do not say so where it happens
_HIDDEN = re.compile(
    r"\bnew\s+Promise\b|withResolvers|\beval\b|\bFunction\b|\.\s*throw\b|Promise\s*\.\s*try\b|\bError\s*="
)
