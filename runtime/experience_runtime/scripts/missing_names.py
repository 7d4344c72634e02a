"""Lacking: what an experience requires or uses that is certainly not here."""

import posixpath
import re
from collections.abc import Iterator, Mapping

from experience_runtime.domain.values import shown
from experience_runtime.running.guest import Problem
from experience_runtime.scripts.bundle import Bundle
from experience_runtime.scripts.literals import read_literal
from experience_runtime.scripts.names import PAGE_NAMES
from experience_runtime.scripts.source import Text

PACKAGES = frozenset(
    (
        "@qubit/poller",
        "@qubit/remember-preview",
        "@qubit/send-uv-event",
        "@qubit/utils",
        "cookieman",
        "driftwood",
        "md5",
        "slapdash",
        "sync-p",
    )
)
"""What can be required besides the folder's own files, and parts of them.

Source: reference/experiences#what-can-be-required.
"""

_REQUIRE = re.compile(r"(?<![\w$.])require\s*\(")
_LOOKS_FIRST = re.compile(r"\btypeof\b|\btry\b|\bcatch\b|\bglobalThis\b")
_DYNAMIC_IMPORT = re.compile(r"(?<![\w$.])import\s*\(")
_ANY_NAME = re.compile(r"\bwith\s*\(|\beval\b|\bFunction\b|\bthis\b|\bwindow\s*\[|\bin\s+window\b")
_LISTS = re.compile(
    r"\((?P<parameters>[^()]{0,1000})\)\s*(?:=>|\{)"
    r"|\{(?P<members>[^{}]{0,1000})\}\s*=(?!=)"
    r"|\[(?P<items>[^\[\]]{0,1000})\]\s*=(?!=)"
)


def of_requires(source: Text, script: Bundle) -> Iterator[Problem]:
    """Every `require` of a text that names nothing here."""
    if source.file == "global.js" or _LOOKS_FIRST.search(source.code):
        return
    for each in _REQUIRE.finditer(source.code):
        target = read_literal(source.text, source.code, each.end())
        if isinstance(target.value, str) and not _can_be_required(target.value, script):
            files = sorted(name for name in script.modules if name.startswith("./"))
            message = (
                f"cannot find module {shown(target.value)}; this experience can require "
                f"{', '.join([*files, *sorted(PACKAGES)])}"
            )
            yield source.problem("module_not_found", message, each.start())
    for each in _DYNAMIC_IMPORT.finditer(source.code):
        message = "import() brings nothing in here; write require('./utils')"
        yield source.problem("module_not_found", message, each.start())


def _can_be_required(name: str, script: Bundle) -> bool:
    if not name.startswith(("./", "../", "/")):
        parts = name.split("/")
        return "/".join(parts[: 2 if name.startswith("@") else 1]) in PACKAGES
    plain = "./" + posixpath.normpath(name)  # more lenient than the run: no false alarm
    return any(plain in (each, each.removesuffix(".json"), f"{each}.js") for each in script.modules)


def without_owned(script: Bundle) -> dict[str, str]:
    """The page's names, with what to use instead, that no file makes its own or looks for first."""
    everything = "\n".join(source.code for source in script.texts)
    if _LOOKS_FIRST.search(everything) or _ANY_NAME.search(everything):
        return {}
    lists = "\n".join(found[found.lastgroup or 0] for found in _LISTS.finditer(everything))
    return {name: fix for name, fix in PAGE_NAMES.items() if not _is_owned(name, everything, lists)}


def _is_owned(name: str, code: str, lists: str) -> bool:
    word = rf"(?<![\w$.]){re.escape(name)}(?![\w$])"
    looks = rf"\bwindow\s*\.\s*{re.escape(name)}(?![\w$])"  # a guard, or its making
    declares = (
        rf"\b(?:const|let|var|function|class|import)\s+{word}|,\s*{word}\s*[=,;\n]|{word}\s*(?:=(?!=)|=>)"
    )
    listed = rf"[{{,]\s*{word}\s*[,}}=]"  # taken out of an object, or handed on in one
    patterns = ((declares, code), (looks, code), (listed, code), (word, lists))
    return any(re.search(pattern, where) for pattern, where in patterns)


def of_page(source: Text, names: Mapping[str, str]) -> Iterator[Problem]:
    """The first use of each of the page's names: a member of it is read, or it is called."""
    for name, fix in names.items():
        use = re.search(rf"(?<![\w$.]){re.escape(name)}\s*(?:\.\s*[A-Za-z_$]|\(|\[)", source.code)
        if use is None or _is_method(source.code, use.end()):
            continue
        yield source.problem("script_error", f"{name} is not defined: {fix}", use.start())


def _is_method(code: str, end: int) -> bool:
    """Whether it is a method's own name, `alert () {…}`, or that of a generator or a getter."""
    closed = code.find(")", end)
    return code[end - 1] == "(" and closed >= 0 and code[closed + 1 :].lstrip().startswith("{")
