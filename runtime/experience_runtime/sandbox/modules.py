"""Modules: the author's files as texts the engine can take, and engine positions as the author's own.

The binding names every script `<input>`, so each file stands at a range of lines of its own; the range tells
the file. Source: contract 1 (module forms), design 3.
"""

import re
from dataclasses import dataclass

from experience_runtime.domain.errors import ScriptSyntaxError
from experience_runtime.domain.experience import Experience, SourceText
from experience_runtime.ports import Position, Problem
from experience_runtime.sandbox.repair import Redeclaration, blanked, find_redeclaration, repaired

FIRST_LINE = 2_000
"""Where the first file's own lines begin; the prelude stands below."""

# no brackets around it: the engine would read the whole file twice, to see whether it is an arrow function
_WRAPPER = "0, function (module, exports, require) {\n", "\n}"
_FRAME = re.compile(r"^ *at (?:(?P<name>.*?) \()?<input>:(?P<line>\d{1,9}):(?P<column>\d{1,9})\)?$")
_BARE_FORM = re.compile(r"(?:async\b\s*)?(?:function\b|\(|[\w$]+\s*=>)")
_EXPORTS = "module.exports = "
_DEFAULT_EXPORT = re.compile(r"^([ \t]*)export\s+default\s+", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class _Placed:
    source: SourceText
    name: str
    first_line: int
    last_line: int
    shifted_line: int  # the one line that our own text moved to the right; 0 for none
    shift: int


class Bundle:
    """The texts of one run, and the way back from the engine's positions. Fits the port `Script`.

    `repair` rewrites a redeclared parameter; what was rewritten is in `repairs`.
    """

    def __init__(self, experience: Experience, *, repair: bool = False) -> None:
        self.experience = experience
        self._placed: list[_Placed] = []
        self._next_line = FIRST_LINE
        self.repairs: list[tuple[str, Redeclaration]] = []
        self.modules: dict[str, dict[str, str]] = {}
        if experience.variation:
            self._add("variation", experience.variation, repair)
        if experience.triggers:
            self._add("triggers", experience.triggers, repair)
        for name, source in experience.shared.items():
            self._add(name, source, repair)
        for name, text in experience.json_files.items():
            self.modules[name] = {"kind": "json", "text": text}
        raw = experience.global_script
        if raw is not None:
            _refuse_nul(raw)
        self.global_text = "" if raw is None else self._place(raw, "global", raw.text, 0, 0)

    @property
    def warnings(self) -> list[str]:
        """What `repair` changed, in the author's terms."""
        return [
            f"{file}:{found.line}: {found.kind} {found.name} redeclares the parameter {found.name}; "
            f"repaired for this run. Write instead: {found.correction}"
            for file, found in self.repairs
        ]

    def problem(self, code: str, message: str, stack: str) -> Problem:
        """A thrown value in the author's terms: where it stands and what to do."""
        frames = self.stack(stack)
        position = frames[0][1] if frames else None
        if code == "syntax_error" and position and "redefinition of parameter" in message:
            message, position = self._redeclared(message, position)
        return Problem(
            code=code,
            message=message,
            file=position.file if position else None,
            line=position.line if position else None,
            column=position.column if position else None,
            stack="\n".join(
                f"    at {name + ' ' if name else ''}({at.file}:{at.line}:{at.column})" for name, at in frames
            ),
        )

    def _redeclared(self, message: str, position: Position) -> tuple[str, Position]:
        source = self.source(position.file)
        found = find_redeclaration(source)
        if found is None or found.line != position.line:
            return message, position
        column = found.start - source.rfind("\n", 0, found.start)
        return (
            f'"{found.name}" is already the name of the function\'s parameter, so {found.kind} cannot '
            f"declare it again. Write: {found.correction}  (and pass that name to the call), "
            "or run with --repair",
            Position(position.file, found.line, column),
        )

    def _add(self, name: str, source: SourceText, repair: bool) -> None:
        same = next((each for each in self._placed if each.source.file == source.file), None)
        if same is not None:  # two names of one file are one module
            self.modules[name] = {"kind": "alias", "text": same.name}
        else:
            self.modules[name] = {"kind": "code", "text": self._place_module(name, source, repair)}

    def locate(self, line: int, column: int) -> Position | None:
        """The author's place for an engine's; None for a line that is ours."""
        for placed in self._placed:
            if line == placed.first_line - 1:  # the opening line of our wrapper: the file as a function
                return Position(placed.source.file, 1, 1)
            if placed.first_line <= line <= placed.last_line:
                own_line = line - placed.first_line + 1
                last = placed.source.text.count("\n") + 1
                if own_line > last:  # the closing line of our wrapper: the file ended too early
                    return Position(placed.source.file, last, len(placed.source.text.rpartition("\n")[2]) + 1)
                moved = placed.shift if own_line == placed.shifted_line else 0
                return Position(placed.source.file, own_line, max(1, column - moved))
        return None

    def stack(self, text: str) -> list[tuple[str, Position]]:
        """The frames of an engine's stack text that stand in the author's files, innermost first."""
        frames = []
        for line in text.splitlines():
            frame = _FRAME.match(line)
            position = frame and self.locate(int(frame["line"]), int(frame["column"]))
            if frame and position:
                name = frame["name"] or ""
                frames.append(("" if name.startswith("<") else name, position))
        return frames

    def source(self, file: str) -> str:
        """The text of one of the author's files, as on disk; "" when it is none of them."""
        return next((placed.source.text for placed in self._placed if placed.source.file == file), "")

    def _place_module(self, name: str, source: SourceText, repair: bool) -> str:
        text, line, shift = as_commonjs(name, source)
        found = find_redeclaration(text) if repair else None
        while found is not None:
            self.repairs.append((source.file, found))
            text = repaired(text, found)
            found = find_redeclaration(text)
        return self._place(source, name, _WRAPPER[0] + text + _WRAPPER[1], line, shift, lines_before=1)

    def _place(
        self, source: SourceText, name: str, text: str, line: int, shift: int, *, lines_before: int = 0
    ) -> str:
        first = self._next_line
        last = first + text.count("\n") - lines_before
        self._placed.append(_Placed(source, name, first, last, line, shift))
        self._next_line = last + 2
        return "\n" * (first - 1 - lines_before) + text


def as_commonjs(name: str, source: SourceText) -> tuple[str, int, int]:
    """Turn an accepted module form into CommonJS; return the text, and the line and columns that moved."""
    _refuse_nul(source)
    text = source.text
    code = blanked(text)
    exported = _DEFAULT_EXPORT.search(code)
    if exported:
        changed = text[: exported.start()] + exported[1] + _EXPORTS + text[exported.end() :]
        shift = len(exported[1] + _EXPORTS) - len(exported[0])
        return changed, text[: exported.start()].count("\n") + 1, shift
    if name in ("variation", "triggers") and "module.exports" not in code:
        if name == "variation" and not code.strip():
            return f"{text}\n{_EXPORTS}function () {{}}", 0, 0
        start = len(code) - len(code.lstrip())
        if _BARE_FORM.match(code, start):
            return text[:start] + _EXPORTS + text[start:], text[:start].count("\n") + 1, len(_EXPORTS)
    return text, 0, 0


def _refuse_nul(source: SourceText) -> None:
    if "\0" in source.text:
        line = source.text[: source.text.index("\0")].count("\n") + 1
        raise ScriptSyntaxError(
            "a NUL character cannot stand in a script; remove it", file=source.file, line=line
        )
