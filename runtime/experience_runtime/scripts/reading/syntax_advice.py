"""Syntax errors in an author's terms: what cannot be read, where the mistake is, and what to write.

The engine names the token at which it gave up. What stands there, and which bracket is open, tells more.
"""

import re
import unicodedata
from collections.abc import Callable, Sequence

from tree_sitter import Node

from experience_runtime.scripts.reading.brackets import CLOSING, find_unpaired, open_before
from experience_runtime.scripts.reading.code import Code
from experience_runtime.scripts.reading.redeclarations import redeclarations
from experience_runtime.scripts.reading.source import FUNCTIONS, Place, Source, ancestors, walk

Advice = tuple[str, int]
"""A message, and the offset of the mistake."""

# fmt: off
_RESERVED = frozenset((
    "await", "break", "case", "catch", "class", "const", "continue", "debugger", "default", "delete", "do",
    "else", "enum", "export", "extends", "false", "finally", "for", "function", "if", "import", "in",
    "instanceof", "new", "null", "return", "super", "switch", "this", "throw", "true", "try", "typeof",
    "var", "void", "while", "with", "yield",
))
# fmt: on
_QUOTES = {"‘": "'", "’": "'", "‚": "'", "“": '"', "”": '"', "„": '"', "«": '"', "»": '"', "´": "'"}
_DASHES = "‐‑‒–—−"
_WORD = re.compile(r"[A-Za-z_$][\w$]*")
_NAME_BEFORE = re.compile(r"\b(?P<kind>let|const|class|function)\s+(?P<name>[A-Za-z_$][\w$]*)\s*\(?\s*\Z")
_AWAIT_BEFORE = re.compile(r"(?<![\w$.])await\s+\Z")
_STATEMENT = re.compile(r"\b(?P<word>import|export)\b")
_IMPORT = re.compile(r"import\s+(?:(?P<what>[^'\"();]+?)\s+from\s*)?(?P<module>'[^'\n]*'|\"[^\"\n]*\")")
_EXPORT = re.compile(
    r"export\s+(?P<form>async\s+function|function|class|const|let|var)\s*\*?\s*(?P<name>[\w$]+)"
)
_EXPORTED_VALUE = re.compile(r"export\s+(?:const|let|var)\s+[\w$]+\s*=\s*(?P<value>[^\n;]*)")
_EXPORT_LIST = re.compile(r"export\s*\{(?P<names>[^}]*)\}")
_BROUGHT = re.compile(r"(?:\*\s+as\s+)?([\w$]+)|\{([^}]*)\}")
_GIVES_AN_OBJECT = re.compile(r"(?:[=(,:?\[&|]|\breturn|=>\s*\()\s*\Z")
_PRIVATE_NAME = re.compile(r"private field '(#[\w$]+)'")
_NAMED_GROUP = re.compile(r"\(\?<([A-Za-z_]\w*)>")
_MOST_REGEXES = 500
_LOOKS_BEFORE = "; look at this place and at what stands before it"


def explain(message: str, source: Source, place: Place) -> tuple[str, tuple[Source, Place]]:
    """Say what is wrong and where; the engine's own words and place when nothing better is known."""
    code = Code(source)
    at = code.offset(place)
    plain = message.removeprefix("SyntaxError: ")
    for rule in _RULES:
        if (found := rule(plain, at, code)) is not None:
            return found[0], (source, code.place(found[1]))
    return f"SyntaxError: {plain}{_LOOKS_BEFORE}", (source, place)


def without_a_place(message: str, files: Sequence[Source]) -> tuple[str, tuple[Source, Place] | None]:
    """The same for what the engine names no place of: a private name, and a regular expression."""
    if name := _PRIVATE_NAME.search(message):
        for source in files:
            for node in walk(source.root):
                if node.type == "private_property_identifier" and source.text(node) == name[1]:
                    said = f"{name[1]} is declared in no class around it; declare it there"
                    return said, (source, source.place(node.start_byte))
    return f"{message}; look at the regular expressions", _suspect_regex(files)


def _suspect_regex(files: Sequence[Source]) -> tuple[Source, Place] | None:
    """The regular expression at fault: the only one, or the first that another engine cannot read either."""
    found = [(source, node) for source in files for node in walk(source.root) if node.type == "regex"]
    broken = [each for each in found[:_MOST_REGEXES] if _is_broken(*each)]
    for source, node in broken or (found if len(found) == 1 else []):
        return source, source.place(node.start_byte)
    return None


def _is_broken(source: Source, node: Node) -> bool:
    pattern = node.child_by_field_name("pattern")
    text = "" if pattern is None else source.text(pattern)
    try:
        re.compile(_NAMED_GROUP.sub(r"(?P<\1>", text).replace("[^]", r"[\s\S]").replace("[]", r"[^\s\S]"))
    except (re.error, OverflowError, RecursionError):
        return True
    flags = node.child_by_field_name("flags")
    return flags is not None and not set(source.text(flags)) <= set("dgimsuvy")


def _redeclared(message: str, at: int, source: Code) -> Advice | None:
    if "redefinition" not in message:
        return None
    line = source.place(at)[0]
    parameter = "of parameter" in message
    for found in redeclarations(source.source) if parameter else ():
        start = source.character(found.kind.start_byte)
        if source.place(start)[0] == line:
            kind = source.source.text(found.kind)
            return (
                f'"{found.name}" is already the name of the function\'s parameter, so {kind} cannot '
                f"declare it again. Write: {found.correction}  (and pass that name to the call), "
                "or run with --repair",
                start,
            )
    declared = _NAME_BEFORE.search(source.code, max(0, at - 300), at)
    if declared is None:
        what = "a parameter's name" if parameter else "a name"
        return f"{what} is declared again here; give this one another name", at
    name, kind, start = declared["name"], declared["kind"], declared.start()
    if not parameter:
        return f'"{name}" is declared twice; drop this {kind}, or give it another name', start
    other = ("schedule" if name == "options" else "own") + name[0].upper() + name[1:]
    written = _declaration(source, declared.start("name")).partition("\n")[0].rstrip()
    return (
        f'"{name}" is already the name of the function\'s parameter, so {kind} cannot declare it again. '
        f"Write: {kind} {written.replace(name, other, 1)}  (and use that name below)",
        start,
    )


def _declaration(source: Code, at: int) -> str:
    """The text of the declarator whose name stands at an offset."""
    node = source.source.node_at(source.byte(at))
    around = next((each for each in ancestors(node) if each.type == "variable_declarator"), node)
    return source.source.text(around)


def _module_form(message: str, at: int, source: Code) -> Advice | None:
    start = source.code.rfind("\n", 0, at) + 1
    statements = [each for each in _STATEMENT.finditer(source.code, start, at + 6) if each.start() <= at]
    if not statements or not ("export" in message or "Unexpected" in message or "import" in message):
        return None
    begin = statements[-1].start()
    if source.code[max(0, begin - 1)] == "." or "import.meta" in message:
        return None
    if statements[-1]["word"] == "import":
        where = (
            "global.js is no module" if source.source.role == "global" else "import stands at the top only"
        )
        return f"{where}; write: {_required(source.text, begin)}", begin
    if source.source.role in ("variation", "triggers"):
        return (
            f"{source.source.role}.js exports one function, by default; write: {_default(source, begin)}",
            begin,
        )
    return f"export stands at the top of a shared file only; write: {_exported(source.text, begin)}", begin


def _default(source: Code, begin: int) -> str:
    """An export of an entry's, in the form that runs."""
    line = source.text[begin : begin + 200].partition("\n")[0].rstrip()
    if value := _EXPORTED_VALUE.match(line):
        return f"export default {value['value'] or '…'}"
    if written := _EXPORT.match(line):
        return f"export default {line[written.start('form') :]}"
    if listed := _EXPORT_LIST.match(source.text, begin):
        first = re.split(r"\s+as\s+", listed["names"].split(",")[0].strip())[0]
        return f"export default {first}"
    return "export default function (options) {…}"


def _required(text: str, begin: int) -> str:
    written = _IMPORT.match(text, begin)
    if written is None:
        return "const name = require('./utils')"
    call = f"require({written['module']})"
    brought = []
    for name, names in _BROUGHT.findall(written["what"] or ""):
        listed = ", ".join(
            ": ".join(re.split(r"\s+as\s+", each.strip())) for each in names.split(",") if each.strip()
        )
        brought.append(f"const {name or '{ ' + listed + ' }'} = {call}")
    return "; ".join(brought) or call


def _exported(text: str, begin: int) -> str:
    if written := _EXPORT.match(text, begin):
        form, name = written["form"], written["name"]
        return f"exports.{name} = {'…' if form in ('const', 'let', 'var') else f'{form} {name} …'}"
    if listed := _EXPORT_LIST.match(text, begin):
        names = [re.split(r"\s+as\s+", each.strip()) for each in listed["names"].split(",") if each.strip()]
        return f"module.exports = {{ {', '.join(': '.join(reversed(name)) for name in names)} }}"
    return "module.exports = …"


def _markup(message: str, at: int, source: Code) -> Advice | None:
    text = source.text
    if text.startswith(("<<<<<<<", "=======", ">>>>>>>"), text.rfind("\n", 0, at) + 1):
        return "a merge was left unfinished here; keep one side and remove the marker lines", at
    if "'<'" not in message or not text.startswith("<", at):
        return None
    if re.match(r"<(?:!|script\b|html\b)", text[at:]) and not text[:at].strip():
        return "this is HTML, and an experience file is JavaScript; keep what stands inside <script>", at
    if re.match(r"<[A-Za-z>]", text[at:]):
        return (
            "JSX is not run here: there is no page to render to; leave the markup out, "
            "or write it as a string in quotes",
            at,
        )
    return None


def _await(message: str, at: int, source: Code) -> Advice | None:
    found = _AWAIT_BEFORE.search(source.code, max(0, at - 300), at)
    if found is None or "Unexpected end" in message:
        return None
    node = source.source.node_at(source.byte(found.start()))
    if not any(each.type in FUNCTIONS for each in ancestors(node)):
        return (
            "await stands outside every function, where files are read and nothing can wait; move it into "
            "the variation: module.exports = async function variation (options) {…}",
            found.start(),
        )
    return "await stands in a function that is not async; write async before that function", found.start()


def _character(message: str, at: int, source: Code) -> Advice | None:
    char = source.text[at : at + 1]
    if "unexpected character" not in message or not char:
        return None
    if char in _QUOTES:
        return f"{char} is a typographic quote, which programs cannot read; write {_QUOTES[char]}", at
    if char in _DASHES:
        return f"{char} is a typographic dash, which programs cannot read; write -", at
    name = unicodedata.name(char, f"U+{ord(char):04X}")
    return f"the character {name} cannot stand here; remove it, or put it into a string in quotes", at


def _unended(message: str, at: int, source: Code) -> Advice | None:
    mark = source.text[at : at + 1]
    if "end of string" in message or "end of template" in message:
        if mark == "`":
            return "the template that begins here has no end; write ` where it ends", at
        return (
            f"the text that begins here has no end on its line; write {mark or 'a quote'} where it ends",
            at,
        )
    if "end of comment" in message:
        return "the comment that begins here has no end; write */ where it ends", at
    if "in regexp" in message:
        return "the regular expression that begins here has no end on its line; write / where it ends", at
    before = source.text[at - 1 : at]
    if before in ("'", '"') and before and _WORD.match(source.text, at):
        return f"the text ends at the {before} before this; write \\{before} for one inside it", at - 1
    return None


def _reserved(message: str, at: int, source: Code) -> Advice | None:
    word = _WORD.match(source.code, at)
    if word is None or word[0] not in _RESERVED or "name expected" not in message:
        return None
    return f'"{word[0]}" is a word of the language and cannot be a name; write {word[0]}Name, say', at


def _bracket(message: str, at: int, source: Code) -> Advice | None:
    code = source.code
    at_end = not code[at:].strip()
    found = find_unpaired(code)
    if found is not None and found.open_at is None and code[found.at] not in CLOSING:
        return f'"{code[found.at]}" closes nothing: there is one too many; remove it', found.at
    if found is not None and found.open_at is not None and found.at <= at:
        opening = source.place(found.open_at)
        return (
            f'"{code[found.at]}" closes the "{code[found.open_at]}" of line {opening[0]}, '
            f'column {opening[1]}; write "{CLOSING[code[found.open_at]]}" before it',
            found.at,
        )
    opened = open_before(code, at)
    if at_end and found is not None:
        return f'"{code[found.at]}" is not closed; write "{CLOSING[code[found.at]]}" where it ends', found.at
    word = _WORD.match(code, at)
    token = word[0] if word else code[at : at + 1]
    if not opened or not token.strip() or "name expected" in message or "number" in message:
        return None
    opening_mark = code[opened[-1]]
    if opening_mark in "([" and word is not None and word[0] in _RESERVED - {"function", "class", "new"}:
        return (
            f'"{opening_mark}" is not closed before {word[0]}; write "{CLOSING[opening_mark]}" where it ends',
            opened[-1],
        )
    if opening_mark == "(" and token == ":":
        named = source.source.file.replace(".js", ".ts")
        return f"TypeScript's types are read in .ts files; name this file {named}, or remove the type", at
    is_list = opening_mark in "([" or _GIVES_AN_OBJECT.search(code, max(0, opened[-1] - 300), opened[-1])
    if is_list and (word is not None or token in "{[" or "string" in message):
        return f'a comma or "{CLOSING[opening_mark]}" is missing before this', at
    return None


_RULES: tuple[Callable[[str, int, Code], Advice | None], ...] = (
    _redeclared,
    _module_form,
    _markup,
    _await,
    _character,
    _unended,
    _reserved,
    _bracket,
)
