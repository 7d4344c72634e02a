"""Syntax errors in an author's terms: what cannot be read, where the mistake is, and what to write.

The engine names the token at which it gave up. What stands there, and which bracket is open, tells more.
"""

import re
import unicodedata
from collections.abc import Callable

from experience_runtime.running.guest import Position
from experience_runtime.scripts.brackets import CLOSING, find_unpaired, open_before
from experience_runtime.scripts.literals import expression_end
from experience_runtime.scripts.repair import find_redeclaration
from experience_runtime.scripts.source import Text

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
_EXPORT_LIST = re.compile(r"export\s*\{(?P<names>[^}]*)\}")
_BROUGHT = re.compile(r"(?:\*\s+as\s+)?([\w$]+)|\{([^}]*)\}")
_GIVES_AN_OBJECT = re.compile(r"(?:[=(,:?\[&|]|\breturn|=>\s*\()\s*\Z")
_LOOKS_BEFORE = "; look at this place and at what stands before it"


def explain(message: str, position: Position, source: Text) -> tuple[str, Position]:
    """Say what is wrong and where; the engine's own words and place when nothing better is known."""
    at = source.offset(position)
    plain = message.removeprefix("SyntaxError: ")
    for rule in _RULES:
        if (found := rule(plain, at, source)) is not None:
            return found[0], source.position(found[1])
    return f"SyntaxError: {plain}{_LOOKS_BEFORE}", position


def _redeclared(message: str, at: int, source: Text) -> Advice | None:
    if "redefinition" not in message:
        return None
    line = source.position(at).line
    parameter = "of parameter" in message
    if parameter and (found := find_redeclaration(source.text)) and found.line == line:
        return (
            f'"{found.name}" is already the name of the function\'s parameter, so {found.kind} cannot '
            f"declare it again. Write: {found.correction}  (and pass that name to the call), "
            "or run with --repair",
            found.start,
        )
    declared = _NAME_BEFORE.search(source.code, max(0, at - 300), at)
    if declared is None:
        what = "a parameter's name" if parameter else "a name"
        return f"{what} is declared again here; give this one another name", at
    name, kind, start = declared["name"], declared["kind"], declared.start()
    if not parameter:
        return f'"{name}" is declared twice; drop this {kind}, or give it another name', start
    other = ("schedule" if name == "options" else "own") + name[0].upper() + name[1:]
    written = source.text[start : expression_end(source.code, start)].partition("\n")[0].rstrip()
    return (
        f'"{name}" is already the name of the function\'s parameter, so {kind} cannot declare it again. '
        f"Write: {written.replace(name, other, 1)}  (and use that name below)",
        start,
    )


def _module_form(message: str, at: int, source: Text) -> Advice | None:
    start = source.code.rfind("\n", 0, at) + 1
    statements = [each for each in _STATEMENT.finditer(source.code, start, at + 6) if each.start() <= at]
    if not statements or not ("export" in message or "Unexpected" in message or "import" in message):
        return None
    begin = statements[-1].start()
    if source.code[max(0, begin - 1)] == "." or "import.meta" in message:
        return None
    if statements[-1]["word"] == "import":
        return f"ES imports are not read here; write: {_required(source.text, begin)}", begin
    return (
        f"ES exports other than `export default` are not read here; write: {_exported(source.text, begin)}",
        begin,
    )


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


def _markup(message: str, at: int, source: Text) -> Advice | None:
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
            "or put it into a text in quotes",
            at,
        )
    return None


def _await(message: str, at: int, source: Text) -> Advice | None:
    found = _AWAIT_BEFORE.search(source.code, max(0, at - 300), at)
    if found is None or "Unexpected end" in message:
        return None
    return "await stands in a function that is not async; write async before that function", found.start()


def _character(message: str, at: int, source: Text) -> Advice | None:
    char = source.text[at : at + 1]
    if "unexpected character" not in message or not char:
        return None
    if char in _QUOTES:
        return f"{char} is a typographic quote, which no program takes; write {_QUOTES[char]}", at
    if char in _DASHES:
        return f"{char} is a typographic dash, which no program takes; write -", at
    name = unicodedata.name(char, f"U+{ord(char):04X}")
    return f"the character {name} cannot stand here; remove it, or put it into a text in quotes", at


def _unended(message: str, at: int, source: Text) -> Advice | None:
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


def _reserved(message: str, at: int, source: Text) -> Advice | None:
    word = _WORD.match(source.code, at)
    if word is None or word[0] not in _RESERVED or "name expected" not in message:
        return None
    return f'"{word[0]}" is a word of the language and cannot be a name; write {word[0]}Name, say', at


def _bracket(message: str, at: int, source: Text) -> Advice | None:
    code = source.code
    at_end = not code[at:].strip()
    found = find_unpaired(code)
    if found is not None and found.open_at is None and code[found.at] not in CLOSING:
        return f'"{code[found.at]}" closes nothing: there is one too many; remove it', found.at
    if found is not None and found.open_at is not None and found.at <= at:
        opening = source.position(found.open_at)
        return (
            f'"{code[found.at]}" closes the "{code[found.open_at]}" of line {opening.line}, '
            f'column {opening.column}; write "{CLOSING[code[found.open_at]]}" before it',
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
        return "TypeScript's types are not read here; remove the colon and the type", at
    is_list = opening_mark in "([" or _GIVES_AN_OBJECT.search(code, max(0, opened[-1] - 300), opened[-1])
    if is_list and (word is not None or token in "{[" or "string" in message):
        return f'a comma or "{CLOSING[opening_mark]}" is missing before this', at
    return None


_RULES: tuple[Callable[[str, int, Text], Advice | None], ...] = (
    _redeclared,
    _module_form,
    _markup,
    _await,
    _character,
    _unended,
    _reserved,
    _bracket,
)
