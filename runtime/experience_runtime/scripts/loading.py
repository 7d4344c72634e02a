"""Experiences: a file or a folder on disk -> what a run needs, read once, nothing outside the folder."""

import json
import os
import re
import stat
from collections.abc import Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from experience_runtime.domain.errors import ScriptFault, ScriptModuleNotFound, ScriptSyntaxError
from experience_runtime.domain.experience import Experience, SourceText
from experience_runtime.domain.values import nearest, refuse_constant, shown
from experience_runtime.domain.visitors import Visitor
from experience_runtime.running.guest import Problem
from experience_runtime.running.report import Report
from experience_runtime.scripts.bundle import Bundle
from experience_runtime.scripts.unchanged import Unchanged

_MOST_BESIDE = 100
LARGEST_FILE_BYTES = 1024 * 1024
_SUFFIXES = (".js", ".ts")
_LIKE_SUFFIXES = {
    **dict.fromkeys(("js", "jsx", "mjs", "cjs", "txt"), "js"),
    **dict.fromkeys(("ts", "tsx", "mts", "cts"), "ts"),
}
_MOST_NAMES = 100  # of a folder's files are looked at for one that is misnamed
_VARIATION = re.compile(r"variation(?:-(?P<master_id>\d+))?\.[jt]s")


def load_experience(path: Path, *, variation: str | None = None) -> Experience:
    """Read an experience from a `.js` or `.ts` file or a folder.

    `variation` names one of several variation files; left out, the last by name is taken. A folder with none
    of the files raises ScriptModuleNotFound; text that cannot be read raises ScriptSyntaxError.
    """
    if path.is_dir():
        return _load_folder(path, variation)
    if path.suffix not in _SUFFIXES:
        raise ScriptModuleNotFound(
            f"{path} is neither a folder nor a .js or .ts file; name the experience's folder or its file"
        )
    _refuse_old_names(path.parent, [path.name], has_triggers=False, has_variation=False)
    source, beside = _read(path, path.name), _beside(path.parent, {path.name})
    if path.stem == "triggers":
        return Experience(name=path.stem, path=path, variation=None, triggers=source, beside=beside)
    return Experience(name=path.stem, path=path, variation=source, beside=beside)


def _misnamed(names: Sequence[str]) -> str:
    """What to do about a file whose name is nearly one that is read."""
    for name in names[:_MOST_NAMES]:
        stem, _, suffix = name.lower().rpartition(".")
        meant = nearest(stem, ("variation", "triggers"), cutoff=0.8)
        if meant is not None and suffix in _LIKE_SUFFIXES:
            right = f"{meant}.{_LIKE_SUFFIXES[suffix]}"
            return f": {shown(name)} is there; rename it to {right}"
    return ""


def _load_folder(folder: Path, variation: str | None) -> Experience:
    names = sorted(entry.name for entry in folder.iterdir() if not entry.is_dir())
    chosen = _chosen_variation(folder, names, variation)
    package_text = _read(folder / "package.json", "package.json").text if "package.json" in names else ""
    package = _package(package_text) if package_text else {}
    meta = package.get("meta")
    meta = meta if isinstance(meta, dict) else {}
    triggers = _one_of(names, "triggers")
    _refuse_old_names(folder, names, has_triggers=triggers is not None, has_variation=chosen is not None)
    if chosen is None and triggers is None:
        raise ScriptModuleNotFound(
            f"{folder} holds no variation.js and no triggers.js; an experience needs one of them"
            + _misnamed(names)
        )
    read = {file: _read(folder / file, file) for file in (chosen, triggers) if file is not None}
    shared = {}
    for name, other in (("./utils", "./common"), ("./common", "./utils")):
        if file := _one_of(names, name[2:]):
            shared[name] = _read(folder / file, file)
            shared.setdefault(other, shared[name])
    global_file = _one_of(names, "global")
    global_script = _read(folder / global_file, global_file) if global_file else None
    scripts = () if global_script is None else (global_script,)
    texts = "".join(each.text for each in (*read.values(), *shared.values(), *scripts))
    match = _VARIATION.fullmatch(chosen) if chosen else None
    return Experience(
        name=folder.resolve().name,
        path=folder,
        variation=read[chosen] if chosen else None,
        triggers=read[triggers] if triggers else None,
        shared=shared,
        global_script=global_script,
        json_files=_json_files(folder, texts),
        meta=meta,
        linked=_linked(meta),
        master_id=int(match["master_id"]) if match and match["master_id"] else None,
        package_text=package_text,
        beside=_beside(folder, {*read, *(each.file for each in shared.values()), global_file or ""}),
    )


def _refuse_old_names(folder: Path, names: list[str], *, has_triggers: bool, has_variation: bool) -> None:
    """Say what the files of older experiences are called today: none is to be passed over in silence."""
    old = {
        f"{name}{suffix}": f"{today}{suffix}"
        for name, today, is_there in (
            ("activation", "triggers", has_triggers),
            ("execution", "variation", has_variation),
        )
        for suffix in _SUFFIXES
        if not is_there and f"{name}{suffix}" in names
    }
    if old:
        renamed = " and ".join(f"{name} to {today}" for name, today in old.items())
        raise ScriptModuleNotFound(f"{folder} has older names of files; rename {renamed}")


def _beside(folder: Path, own: set[str]) -> tuple[str, ...]:
    """The other files that an author may expect to be able to require."""
    names = (name for name in os.listdir(folder or ".") if name.endswith((*_SUFFIXES, ".json")))
    return tuple(islice((name for name in sorted(names) if name not in own), _MOST_BESIDE))


def _one_of(names: list[str], stem: str) -> str | None:
    """The file of code with this name. Raises ScriptModuleNotFound when JavaScript and TypeScript have it."""
    found = [f"{stem}{suffix}" for suffix in _SUFFIXES if f"{stem}{suffix}" in names]
    if len(found) > 1:
        raise ScriptModuleNotFound(f"{' and '.join(found)} are both there; keep one of them")
    return found[0] if found else None


def _chosen_variation(folder: Path, names: list[str], wanted: str | None) -> str | None:
    found = [name for name in names if _VARIATION.fullmatch(name)]
    if wanted is None:
        return _one_of(names, found[-1][: -len(".js")]) if found else None
    for name in (wanted, *(f"{wanted}{suffix}" for suffix in _SUFFIXES)):
        if name in found:
            return name
    raise ScriptModuleNotFound(f"{folder} has no variation {wanted!r}; it has {', '.join(found) or 'none'}")


def _package(text: str) -> dict[str, Any]:
    try:
        package = json.loads(text, parse_constant=refuse_constant)
    except json.JSONDecodeError as error:
        raise ScriptSyntaxError(
            f"{error.msg}; package.json must be JSON",
            file="package.json",
            line=error.lineno,
            column=error.colno,
        ) from None
    except (ValueError, RecursionError) as fault:
        raise ScriptSyntaxError(f"{fault}; package.json must be JSON", file="package.json") from None
    return package if isinstance(package, dict) else {}


def _linked(meta: Mapping[str, Any]) -> tuple[str, ...] | None:
    qfns = meta.get("qfns")
    return tuple(str(name) for name in qfns) if isinstance(qfns, dict) else None


def _json_files(folder: Path, code: str) -> dict[str, str]:
    """The JSON files the code may mean: those whose name, or a folder's of theirs, occurs in it."""
    found = {}
    for parent, folders, files in os.walk(folder):  # links to folders are not followed
        folders[:] = sorted(name for name in folders if name != "node_modules" and not name.startswith("."))
        for file in (Path(parent, name) for name in sorted(files) if name.endswith(".json")):
            relative = file.relative_to(folder)
            leads_out = not file.resolve().is_relative_to(folder.resolve())
            if not leads_out and any(part in code for part in relative.with_suffix("").parts):
                name = "./" + relative.as_posix()
                found[name] = _read(file, name, within=folder).text
    return found


def _read(path: Path, name: str, *, within: Path | None = None) -> SourceText:
    if not path.resolve().is_relative_to((within or path.parent).resolve()):
        raise ScriptModuleNotFound(
            f"{name} is a link that leads out of its folder; put the file itself there"
        )
    content = _content(path, name)
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise ScriptSyntaxError("not UTF-8; save the file as UTF-8", file=name, line=line) from None
    # what the language reads them as, in template literals too; the engine counts lines by "\n" alone
    return SourceText(name, text.replace("\r\n", "\n").replace("\r", "\n"))


def _content(path: Path, name: str) -> bytes:
    # a pipe without a writer would otherwise keep the one who opens it
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with open(descriptor, "rb") as file:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise ScriptModuleNotFound(
                f"{name} is a pipe, a device or a folder; an experience is made of plain files"
            )
        content = file.read(LARGEST_FILE_BYTES + 1)
    if len(content) > LARGEST_FILE_BYTES:
        raise ScriptSyntaxError(
            f"{name} has {max(status.st_size, len(content))} bytes; "
            f"a file may have {LARGEST_FILE_BYTES // 2**20} MiB at most"
        )
    return content


_PREPARED: Unchanged[Bundle] = Unchanged(most=64)


def prepare(path: Path, *, variation: str | None = None, repair: bool = False) -> Bundle:
    """Read an experience and place its files, or take what was made of them while they are unchanged.

    Raises ScriptFault for one that cannot be read.
    """
    if not path.is_dir() and not path.is_file():  # a pipe would be read for ever
        raise ScriptModuleNotFound(
            f"{path} is neither a folder nor a file; name the experience's folder or its file"
        )
    try:
        return _PREPARED.get(
            path,
            (variation, repair),
            lambda: Bundle(load_experience(path, variation=variation), repair=repair),
        )
    except OSError as error:
        raise ScriptModuleNotFound(
            f"{error.filename or path} cannot be read: {error.strerror}; make it a file that you may read"
        ) from None


def failed_report(path: Path, visitor: Visitor, fault: ScriptFault) -> Report:
    """The report of an experience that did not even begin."""
    name = path.resolve().name if path.is_dir() else path.stem
    report = Report(experience=name, visitor=visitor)
    report.error = fault_problem(fault)
    return report


def fault_problem(fault: ScriptFault) -> Problem:
    """A fault found while reading, as the reports show problems."""
    return Problem(
        code=fault.code, message=fault.message, file=fault.file, line=fault.line, column=fault.column
    )


def source_of(problem: Problem, path: Path, script: Bundle | None) -> str:
    """The text of the file a problem stands in; "" when it cannot be read."""
    if problem.file is None:
        return ""
    if script is not None and (text := script.source(problem.file)):
        return text
    file = path / problem.file if path.is_dir() else path
    try:
        content = _content(file, problem.file)
    except (OSError, ScriptFault):
        return ""
    return content.decode("utf-8-sig", "replace").replace("\r\n", "\n").replace("\r", "\n")
