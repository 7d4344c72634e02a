"""Experiences: a file or a folder on disk -> what a run needs, read once, nothing outside the folder."""

import json
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import lru_cache, partial
from itertools import islice
from pathlib import Path
from typing import Any

from experience_runtime.domain.errors import (
    InvalidParameter,
    ScriptFault,
    ScriptModuleNotFound,
    ScriptSyntaxError,
)
from experience_runtime.domain.experience import Experience
from experience_runtime.domain.json_faults import json_fault, json_place
from experience_runtime.domain.releases import Release
from experience_runtime.domain.traffic import CONTROL, read_traffic, variation_name
from experience_runtime.domain.values import nearest, refuse_constant, shown
from experience_runtime.domain.visitors import Visitor
from experience_runtime.running.guest import Problem
from experience_runtime.running.report import Report
from experience_runtime.scripts.bundle import Bundle
from experience_runtime.scripts.folders import (
    DiskFolder,
    Folder,
    TextFolder,
    content_of,
    is_story,
    json_files_meant,
    read_text,
    with_plain_ends,
)
from experience_runtime.scripts.unchanged import Unchanged

_MOST_BESIDE = 100
_SUFFIXES = (".js", ".ts")
_OTHER_ENTRIES = ("index", "main", "experience")
_LIKE_SUFFIXES = {
    **dict.fromkeys(("js", "jsx", "mjs", "cjs", "txt"), "js"),
    **dict.fromkeys(("ts", "tsx", "mts", "cts"), "ts"),
}
_MOST_NAMES = 100  # of a folder's files are looked at for one that is misnamed
_OTHER_CODE = ("triggers", "utils", "common", "global")
VARIATION = re.compile(r"variation(?:-(?P<master_id>\d+))?\.[jt]s")


def load_experience(path: Path, *, variation: str | None = None) -> Experience:
    """Read an experience from a `.js` or `.ts` file or a folder.

    `variation` names one of several variation files, or `control` for none of them; left out, `traffic` of
    package.json chooses for each visitor, else the last by name is taken. A folder with none of the files
    raises ScriptModuleNotFound; text that cannot be read raises ScriptSyntaxError.
    """
    if path.is_dir():
        return _load_folder(DiskFolder(path), path.resolve().name, variation)
    if path.suffix not in _SUFFIXES:
        raise ScriptModuleNotFound(
            f"{path} is neither a folder nor a .js or .ts file; name the experience's folder or its file"
        )
    _refuse_old_names(path.parent, [path.name], has_triggers=False, has_variation=False)
    source, beside = read_text(path, path.name), _beside(os.listdir(path.parent), {path.name})
    if path.stem == "triggers":
        return Experience(name=path.stem, variation=None, triggers=source, beside=beside)
    return Experience(name=path.stem, variation=source, beside=beside)


def _misnamed(names: Sequence[str]) -> str:
    """What to do about a file whose name is nearly one that is read."""
    for name in names[:_MOST_NAMES]:
        stem, _, suffix = name.lower().rpartition(".")
        meant = nearest(stem, ("variation", "triggers"), cutoff=0.8)
        if meant is not None and suffix in _LIKE_SUFFIXES:
            right = f"{meant}.{_LIKE_SUFFIXES[suffix]}"
            return f": {shown(name)} is there; rename it to {right}"
        if stem in _OTHER_ENTRIES and suffix in _LIKE_SUFFIXES:
            return f": {shown(name)} is there; rename it to variation.{_LIKE_SUFFIXES[suffix]}"
    return ""


def load_files(
    files: Mapping[str, str], *, name: str, variation: str | None = None, release: int | None = None
) -> Experience:
    """The experience that these texts are, by the names of their files; as `load_experience` of a folder."""
    return _load_folder(TextFolder(name, files), name, variation, release=release)


def files_of(path: Path) -> dict[str, str]:
    """The texts that an experience on disk is made of, its stories with them, by the names of their files.

    A single file goes by the name it would have in a folder. Raises ScriptFault as `load_experience`.
    """
    first = load_experience(path)
    if not path.is_dir():
        source = first.variation or first.triggers
        assert source is not None  # it was read from one of them
        kind = "variation" if first.variation else "triggers"
        return {f"{kind}{path.suffix}": source.text}
    folder = DiskFolder(path)
    names = [name for name in folder.names if VARIATION.fullmatch(name)]
    names += [name for stem in _OTHER_CODE if (name := _one_of(folder.names, stem))]
    names += [name for name in folder.names if name == "package.json"]
    found = {name: folder.read(name).text for name in names}
    meant = json_files_meant(folder, "".join(found.values()))
    stories = (name for name in folder.json_names() if is_story(name))
    return (
        found
        | {name.removeprefix("./"): text for name, text in meant.items()}
        | {name: folder.read(name).text for name in stories}
    )


def _load_folder(
    folder: Folder, name: str, variation: str | None, *, release: int | None = None
) -> Experience:
    package_text = folder.read("package.json").text if "package.json" in folder.names else ""
    package = _package(package_text) if package_text else {}
    chosen = _chosen_variation(folder, folder.names, variation)
    read = partial(_read_folder, folder, name, package=package, package_text=package_text, release=release)
    if variation is not None or "traffic" not in package:
        return read(chosen, is_control=variation == CONTROL)
    files = {called: file for file in folder.names if (called := variation_name(file)) and "." in file}
    control = _control_id(_meta(package))
    try:
        traffic = read_traffic(
            package["traffic"], files.keys(), control=None if control is None else str(control)
        )
    except InvalidParameter as wrong:
        line = _line_of(package_text, '"traffic"')
        raise ScriptSyntaxError(wrong.message, file="package.json", line=line) from None
    variants = {
        each: replace(
            read(
                _one_of(folder.names, files[each][: -len(".js")]) if each in files else None,
                is_control=each == CONTROL,
            ),
            assigned=each,
        )
        for each in traffic.names
    }
    return replace(read(chosen, is_control=False), traffic=traffic, variants=variants)


def _read_folder(
    folder: Folder,
    name: str,
    chosen: str | None,
    *,
    is_control: bool,
    package: Mapping[str, Any],
    package_text: str,
    release: int | None,
) -> Experience:
    names, meta = folder.names, _meta(package)
    triggers = _one_of(names, "triggers")
    if not is_control:
        _refuse_old_names(folder, names, has_triggers=triggers is not None, has_variation=chosen is not None)
    if chosen is None and triggers is None and not is_control:
        raise ScriptModuleNotFound(
            f"{folder} holds no variation.js and no triggers.js; an experience needs one of them"
            + _misnamed(names)
        )
    read = {file: folder.read(file) for file in (chosen, triggers) if file is not None}
    shared = {}
    for module, other in (("./utils", "./common"), ("./common", "./utils")):
        if file := _one_of(names, module[2:]):
            shared[module] = folder.read(file)
            shared.setdefault(other, shared[module])
    global_file = _one_of(names, "global")
    global_script = folder.read(global_file) if global_file else None
    scripts = () if global_script is None else (global_script,)
    texts = "".join(each.text for each in (*read.values(), *shared.values(), *scripts))
    return Experience(
        name=name,
        is_folder=True,
        release=release,
        variation=read[chosen] if chosen else None,
        triggers=read[triggers] if triggers else None,
        shared=shared,
        global_script=global_script,
        json_files=json_files_meant(folder, texts),
        meta=meta,
        linked=_linked(meta),
        master_id=_control_id(meta) if is_control else _master_id(chosen),
        package_text=package_text,
        beside=_beside(names, {*read, *(each.file for each in shared.values()), global_file or ""}),
    )


def _meta(package: Mapping[str, Any]) -> Mapping[str, Any]:
    meta = package.get("meta")
    return meta if isinstance(meta, dict) else {}


def _master_id(file: str | None) -> int | None:
    match = VARIATION.fullmatch(file) if file else None
    return int(match["master_id"]) if match and match["master_id"] else None


def _control_id(meta: Mapping[str, Any]) -> int | None:
    """The master id of the control, which `meta.variations` marks; None where it marks none."""
    variations = meta.get("variations")
    for name, each in variations.items() if isinstance(variations, dict) else ():
        if isinstance(each, dict) and each.get("variationIsControl") is True:
            return _master_id(f"{name}.js")
    return None


def _line_of(text: str, word: str) -> int | None:
    at = text.find(word)
    return None if at < 0 else text.count("\n", 0, at) + 1


def _refuse_old_names(
    folder: Folder | Path, names: Sequence[str], *, has_triggers: bool, has_variation: bool
) -> None:
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


def _beside(names: Sequence[str], own: set[str]) -> tuple[str, ...]:
    """The other files that an author may expect to be able to require."""
    code = (name for name in names if name.endswith((*_SUFFIXES, ".json")))
    return tuple(islice((name for name in sorted(code) if name not in own), _MOST_BESIDE))


def _one_of(names: Sequence[str], stem: str) -> str | None:
    """The file of code with this name. Raises ScriptModuleNotFound when JavaScript and TypeScript have it."""
    found = [f"{stem}{suffix}" for suffix in _SUFFIXES if f"{stem}{suffix}" in names]
    if len(found) > 1:
        raise ScriptModuleNotFound(f"{' and '.join(found)} are both there; keep one of them")
    return found[0] if found else None


def _chosen_variation(folder: Folder, names: Sequence[str], wanted: str | None) -> str | None:
    found = [name for name in names if VARIATION.fullmatch(name)]
    if wanted is None:
        return _one_of(names, found[-1][: -len(".js")]) if found else None
    if wanted == CONTROL:
        return None
    for stem in (wanted, f"variation-{wanted}"):
        for name in (stem, *(f"{stem}{suffix}" for suffix in _SUFFIXES)):
            if name in found:
                return name
    raise ScriptModuleNotFound(f"{folder} has no variation {wanted!r}; it has {', '.join(found) or 'none'}")


def _package(text: str) -> dict[str, Any]:
    try:
        package = json.loads(text, parse_constant=refuse_constant)
    except json.JSONDecodeError as error:
        said, line, column = json_place(error)
        raise ScriptSyntaxError(
            f"package.json is not JSON: {said}", file="package.json", line=line, column=column
        ) from None
    except (ValueError, RecursionError) as fault:
        raise ScriptSyntaxError(
            f"package.json is not JSON: {json_fault(fault)}", file="package.json"
        ) from None
    return package if isinstance(package, dict) else {}


def _linked(meta: Mapping[str, Any]) -> tuple[str, ...] | None:
    qfns = meta.get("qfns")
    return tuple(str(name) for name in qfns) if isinstance(qfns, dict) else None


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


@lru_cache(maxsize=64)
def prepare_release(release: Release, *, variation: str | None = None, repair: bool = False) -> Bundle:
    """As `prepare`, of the files of a release: nothing is read from the disk."""
    experience = load_files(
        release.files, name=release.experience, variation=variation, release=release.number
    )
    return Bundle(experience, repair=repair)


def name_of(path: Path) -> str:
    """What an experience on disk is called in reports."""
    return path.resolve().name if path.is_dir() else path.stem


def failed_report(name: str, visitor: Visitor, fault: ScriptFault, *, release: int | None = None) -> Report:
    """The report of an experience that did not even begin."""
    report = Report(experience=name, visitor=visitor, release=release)
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
        content = content_of(file, problem.file)
    except (OSError, ScriptFault):
        return ""
    return with_plain_ends(content.decode("utf-8-sig", "replace"))
