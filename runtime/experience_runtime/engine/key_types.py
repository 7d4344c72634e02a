"""Key types: what is pending under a key that says the same in other types, 7 and "7" for instance."""

from collections.abc import Sequence

from experience_runtime.domain.keys import key_digest, other_types
from experience_runtime.domain.values import shown
from experience_runtime.engine.prepared import PreparedCancel, PreparedSchedule
from experience_runtime.engine.stores import Added, Done, SchedulerStore

Prepared = PreparedSchedule | PreparedCancel


def key_doubts(store: SchedulerStore, prepared: Sequence[Prepared], done: Sequence[Done]) -> list[str | None]:
    """For each that found nothing under its key, what to tell where another key was meant, perhaps."""
    asked: dict[tuple[bytes, str], str] = {}
    others: list[list[tuple[bytes, str]]] = []
    for each, came in zip(prepared, done, strict=True):
        key, owner = _key(each, came)
        keys = {(key_digest(each.key_space, other), owner): other for other in other_types(key or "{}")}
        asked |= keys
        others.append(list(keys))
    pending = store.keys_pending(list(asked)) if asked else set()
    found = [next((asked[key] for key in keys if key in pending), None) for keys in others]
    return [
        None if other is None else _says(each, other) for each, other in zip(prepared, found, strict=True)
    ]


def _key(prepared: Prepared, done: Done) -> tuple[str | None, str]:
    """The key that nothing was found under, and its owner; no key where there is nothing to tell."""
    if isinstance(prepared, PreparedCancel):
        return None if done else prepared.key, prepared.cancelling.key_owner
    is_alone = isinstance(done, Added) and done.is_new and done.replaced is None
    return prepared.execution.key if is_alone else None, prepared.execution.key_owner


def _says(prepared: Prepared, other: str) -> str:
    key, what = (
        (prepared.key, "cancelled")
        if isinstance(prepared, PreparedCancel)
        else (prepared.execution.key, "replaced")
    )
    return (
        f"key {shown(key)} is another one than {shown(other)}, under which an execution is pending: their "
        f"values differ in type, so nothing was {what}; write the key in the same way everywhere"
    )
