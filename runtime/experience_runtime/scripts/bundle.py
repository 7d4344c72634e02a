"""Bundles: the author's files as texts the engine can take, and the engine's positions as the author's own.

The engine names file and line; what was written otherwise for it on a line, and how columns are counted, is
put right here. Source: reference/experiences#module-forms.
"""

import re
from dataclasses import replace
from functools import lru_cache
from typing import Any

from experience_runtime.domain.errors import ScriptSyntaxError
from experience_runtime.domain.experience import Experience, SourceText
from experience_runtime.running.guest import Module, Position, Problem
from experience_runtime.scripts.positions import Columns, Moved, PlacedFile
from experience_runtime.scripts.reader import CHECK_CPU_SECONDS, Reader, shared_reader

# no brackets around it: the engine would read the whole file twice, to see whether it is an arrow function
# two line ends, which the engine does not count: on its very first line some columns would be one short
_WRAPPER = "0, function (module, exports, require) {\n\n", "\n}"
_PLACE = re.compile(r":(?P<line>\d{1,9}):(?P<column>\d{1,9})\)?$")
_OURS = ("(native)", "(<null>)")  # how the engine names a function without lines
_ADVISED_FRAMES = 3
_MOST_FRAMES = 100
_LONGEST_PLACE = 30


class Bundle:
    """The texts of one run, and the way back from the engine's positions. Fits the port `Script`.

    `repair` rewrites a redeclared parameter. Raises ScriptSyntaxError for a file that no engine could take.
    """

    def __init__(self, experience: Experience, *, repair: bool = False, reader: Reader | None = None) -> None:
        self.experience = experience
        self.warnings: list[str] = []
        self._reader = reader or shared_reader()
        self._repair = repair
        self._placed: list[PlacedFile] = []
        self._frame = lru_cache(maxsize=64)(self._read_frame)  # a call in a loop is always made on one line
        self.modules: dict[str, Module] = {}
        self._variants: dict[str, Bundle] = {}
        if experience.variation:
            self._add("variation", experience.variation)
            others = experience.triggers or experience.global_script
            if not (experience.variation.text.strip() or others):
                self.warnings.append(f"{experience.variation.file} is empty, so nothing runs")
        if experience.triggers:
            self._add("triggers", experience.triggers)
            if not experience.is_folder:
                self.warnings.append(
                    f"{experience.triggers.file} alone only decides; name its folder to run its variation too"
                )
        for name, source in experience.shared.items():
            self._add(name, source)
        for name, text in experience.json_files.items():
            self.modules[name] = Module(kind="json", text=text)
        raw = experience.global_script
        self.global_text = "" if raw is None else self._place(raw, "global", ("\n\n", ""))

    def for_visitor(self, visitor: str | None, *, kept: str | None = None) -> "Bundle":
        """See `guest.Script`. Raises ScriptSyntaxError for a variation that no engine could take."""
        traffic = self.experience.traffic
        if traffic is None:
            return self
        return self.variant(traffic.of(self.experience.name, visitor, kept=kept))

    def variant(self, name: str) -> "Bundle":
        """One of the variations that `traffic` chooses among."""
        found = self._variants.get(name)
        if found is None:
            experience = self.experience.variants[name]
            found = self._variants[name] = Bundle(experience, repair=self._repair, reader=self._reader)
        return found

    @property
    def sources(self) -> list[dict[str, str]]:
        """The author's files of code as the reader takes them."""
        return [
            {"file": placed.source.file, "role": placed.name, "text": placed.source.text}
            for placed in self._placed
        ]

    def ask_check(self) -> Any:
        """What the reader finds in the files; None when it gives up."""
        return self._reader.ask(
            {
                "ask": "check",
                "files": self.sources,
                "modules": list(self.modules),
                "beside": list(self.experience.beside),
                "repair": self._repair,
            },
            cpu_seconds=CHECK_CPU_SECONDS,
        )

    def problem(self, code: str, message: str, stack: str, role: str = "") -> Problem:
        """A thrown value in the author's terms: where it stands and what to do.

        `role` is the part that was running, for a value without a stack.
        """
        frames = self.stack(stack)
        position = frames[0][1] if frames and code else None  # no code: only the stack is asked for
        if code == "limit_cpu" and position is not None:  # the engine notes calls, and no loop
            message = f"{message}, in or after line {position.line}"
        elif code and not code.startswith("limit_"):
            message, position = self._advised(code, message, frames, role, has_stack=bool(stack or frames))
        return Problem(
            code=code,
            message=message,
            file=position.file if position else self._file_of(role),
            line=position.line if position else None,
            column=position.column if position else None,
            stack="\n".join(
                f"    at {name + ' ' if name else ''}({at.file}:{at.line}:{at.column})" for name, at in frames
            ),
        )

    def _advised(
        self, code: str, message: str, frames: list[tuple[str, Position]], role: str, *, has_stack: bool
    ) -> tuple[str, Position | None]:
        """What the reader says of an error; the engine's own words and place when it gives up."""
        first = frames[:_ADVISED_FRAMES]
        named = {at.file for _, at in first}
        answer = self._reader.ask(
            {
                "ask": "advise",
                "files": [each for each in self.sources if not named or each["file"] in named],
                "code": code,
                "message": message,
                "frames": [
                    {"name": name, "file": at.file, "line": at.line, "column": at.column}
                    for name, at in first
                ],
                "has_stack": has_stack,
                "role": role,
                "beside": list(self.experience.beside),
            }
        )
        if answer is None:
            return message, first[0][1] if first else None
        place = answer["place"]
        return answer["message"], None if place is None else Position(**place)

    def in_own_places(self, text: str) -> str:
        """A text in which every frame the engine wrote has the author's own place, and ours are left out."""
        if " at " not in f" {text}":
            return text
        lines = []
        for line in text.split("\n"):
            frame = self._frame(line)
            if frame is not None:
                name, at = frame
                indent = line[: len(line) - len(line.lstrip(" "))]
                lines.append(f"{indent}at {name} ({at.file}:{at.line}:{at.column})")
            elif not line.endswith(_OURS) or not line.lstrip(" ").startswith("at "):
                lines.append(line)
        return "\n".join(lines)

    def _file_of(self, role: str) -> str | None:
        return next((placed.source.file for placed in self._placed if placed.name == role), None)

    def _add(self, name: str, source: SourceText) -> None:
        same = next((each for each in self._placed if each.source.file == source.file), None)
        if same is not None:  # two names of one file are one module
            self.modules[name] = Module(kind="alias", text=same.name)
        else:
            text = self._place(source, name, _WRAPPER)
            self.modules[name] = Module(kind="code", text=text, file=source.file)

    def stack(self, text: str) -> list[tuple[str, Position]]:
        """The frames of an engine's stack text that stand in the author's files, innermost first."""
        frames: list[tuple[str, Position]] = []
        for line in text.splitlines():
            if len(frames) == _MOST_FRAMES:
                break
            frame = self._frame(line)
            if frame is not None:
                name, position = frame
                frames.append(("" if name.startswith("<") else name, position))
        return frames

    def _read_frame(self, line: str) -> tuple[str, Position] | None:
        """One line of a stack: "at name (file:line:column)", or the place alone for a syntax error."""
        if not line.lstrip(" ").startswith("at "):
            return None
        place = _PLACE.search(line[-_LONGEST_PLACE:])
        # the function around a file begins before its first line, and the engine says nothing of such lines
        at = (0, 1) if place is None else (int(place["line"]), int(place["column"]))
        rest = ")" if place is None else place[0]
        before = line.removesuffix(rest).lstrip(" ").removeprefix("at ")
        for placed in self._placed:
            file = placed.source.file
            if before == file or before.endswith(f" ({file}"):
                name = before.removesuffix(file).removesuffix(" (")
                return name, placed.locate(*at)
        return None

    def source(self, file: str) -> str:
        """The text of one of the author's files, as on disk; "" when it is none of them."""
        own = next((placed.source.text for placed in self._placed if placed.source.file == file), "")
        return own or next(filter(None, (each.source(file) for each in self._variants.values())), "")

    def _place(self, source: SourceText, name: str, wrapper: tuple[str, str]) -> str:
        """Read a file; return it as the engine takes it, its first line after two of ours."""
        text, moved = self._read(source, name)
        columns = Columns(text, source.text)
        self._placed.append(PlacedFile(source, name, columns, moved))
        return wrapper[0] + text + wrapper[1]

    def _read(self, source: SourceText, name: str) -> tuple[str, dict[int, list[Moved]]]:
        """The file as the engine takes it, and what moved on its lines."""
        _refuse_nul(source)
        asked = {"file": source.file, "role": name, "text": source.text}
        answer = self._reader.ask({"ask": "read", "repair": self._repair, "files": [asked]})
        form = answer[0] if answer else {"text": None, "moved": [], "repairs": [], "problem": None}
        if form["problem"] is not None:
            raise ScriptSyntaxError(file=source.file, **form["problem"])
        self.warnings += [
            f"{source.file}:{found['line']}: {found['kind']} {found['name']} redeclares the parameter "
            f"{found['name']}; repaired for this run. Write instead: {found['correction']}"
            for found in form["repairs"]
        ]
        moved: dict[int, list[Moved]] = {}
        for line, *part in form["moved"]:
            moved.setdefault(line, []).append((part[0], part[1], part[2], part[3]))
        return source.text if form["text"] is None else form["text"], moved


def without_file(experience: Experience, file: str) -> Experience | None:
    """The experience without one of its files of code; None when it has no such file."""
    names = {"variation": experience.variation, "triggers": experience.triggers}
    left: dict[str, Any] = {name: None for name, each in names.items() if each and each.file == file}
    if experience.global_script and experience.global_script.file == file:
        left["global_script"] = None
    shared = {name: each for name, each in experience.shared.items() if each.file != file}
    if not left and len(shared) == len(experience.shared):
        return None
    return replace(experience, shared=shared, **left)


def _refuse_nul(source: SourceText) -> None:
    if "\0" in source.text:
        line = source.text[: source.text.index("\0")].count("\n") + 1
        raise ScriptSyntaxError(
            "a NUL character cannot stand in a script; remove it", file=source.file, line=line
        )
