"""Modules that are not there: what a `require` of one ends with, and what to do instead."""

import posixpath
import re
from collections.abc import Sequence

from experience_runtime.domain.values import nearest, shown
from experience_runtime.scripts.names import PACKAGES

_OF_NODE = re.compile(
    r"node:.*|assert|buffer|child_process|crypto|events|fs|https?|net|os|path|process|querystring|stream|timers|url|util"
    r"|worker_threads|zlib"
)
_OF_A_PAGE = re.compile(r"jquery|react|\bdom\b|vue|angular|preact")


def not_found(target: str, modules: Sequence[str], beside: Sequence[str]) -> str:
    """What a `require` of this name ends with, and what to do."""
    files = sorted(name for name in modules if name.startswith("./"))
    known = ", ".join([*files, *sorted(PACKAGES)])
    message = f"cannot find module {shown(target)}; this experience can require {known}"
    return f"{message}; {module_hint(target, files, beside)}"


def module_hint(target: str, files: Sequence[str], beside: Sequence[str]) -> str:
    """What to do about a name that nothing has; `files`: those that can be required, as `./utils`."""
    hint = _beside(target, beside)
    if hint is not None:
        return hint
    meant = nearest(target, [*files, *PACKAGES], cutoff=0.8)
    if meant is not None:
        return f'did you mean "{meant}"?'
    if target.startswith((".", "/")):
        if not files:
            return "there is no utils.js or JSON file beside it"
        return "of an author's own files only utils.js, common.js and JSON files beside it can be required"
    if _OF_NODE.fullmatch(target):
        return "there is no Node.js here"
    if _OF_A_PAGE.search(target.lower()):
        return "there is no page here that it could work on"
    return "a bundler such as esbuild puts packages into the file"


def _beside(target: str, beside: Sequence[str]) -> str | None:
    """What to do about a file that is there, and that this experience does not bring along."""
    plain = posixpath.normpath(target)
    found = next((name for name in beside if plain in (name, name.rpartition(".")[0])), None)
    if found is None:
        return None
    if plain in ("utils", "common", "utils.js", "common.js") or found.endswith(".json"):
        return f"{found} stands beside it: name the folder, not the file, to bring it along"
    return f"{found} is there, but of an author's own files only utils.js can be required: put its code there"
