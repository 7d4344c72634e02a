"""Lost: values that JSON writes as an empty object, though they hold something."""

LOST = ("Promise", "Map", "Set", "WeakMap", "WeakSet", "RegExp", "Error", "ArrayBuffer")
_FIXES = {
    "Promise": "write await before it",
    "RegExp": "send its source",
    "Error": "send its message",
}


def a_lost(what: str) -> str:
    """With its article, as a sentence has it."""
    return f"{'an' if what[0] in 'AE' else 'a'} {what}"


def fix_of_lost(what: str) -> str:
    """What to write instead."""
    return _FIXES.get(what, "send a plain object or a list")
