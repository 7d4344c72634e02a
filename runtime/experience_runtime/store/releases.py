"""The releases of a store: files that never change once they are kept, and the changes of what runs."""

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from experience_runtime.domain.audit import differing
from experience_runtime.domain.errors import InternalError, UnknownRelease
from experience_runtime.domain.instants import from_ms, to_ms
from experience_runtime.domain.releases import (
    Change,
    Files,
    Release,
    activated,
    deactivated,
    require_version,
    rolled_back,
    share_text,
)
from experience_runtime.domain.values import shown
from experience_runtime.store import rows
from experience_runtime.store.audit import SqlAudit
from experience_runtime.store.database import Database, Rows
from experience_runtime.store.journal import Journal
from experience_runtime.store.rows import Column

_RELEASE = (
    Column("experience", rows.text),
    Column("number"),
    Column("at", to_ms, from_ms),
    Column("actor", rows.text),
    Column("note", rows.text),
    Column("digest"),
    Column("size"),
)
"""The columns of `releases` but the files, in the order every statement lists them."""

_CHANGE = (
    Column("experience", rows.text),
    Column("version", stored="number"),
    Column("at", to_ms, from_ms),
    Column("actor", rows.text),
    Column("action"),
    Column("active"),
    Column("partial"),
    Column("share"),
    Column("before"),
)
"""The columns of `release_changes`, in the order every statement lists them."""


class SqlReleases:
    """`releases.Releases` in the store's own database."""

    def __init__(self, database: Database, journal: Journal, audit: SqlAudit) -> None:
        self._database = database
        self._journal = journal
        self._audit = audit

    def put(
        self, release: Release, *, made: Change, share: int | None, expected: int | None
    ) -> tuple[Release, Change]:
        def act() -> tuple[Release, Change]:
            now = self._now(made.experience, expected)
            bound = {"experience": rows.text(release.experience)}
            ((last,),) = self._database.execute("last_release", bound)
            kept = replace(release, number=last + 1)
            change = activated(now, made, number=kept.number, share=share, action="release")
            self._database.execute_counted("insert_release", _values(kept))
            return kept, self._insert(change, now)

        return self._journal.write(
            f"release of {made.experience}",
            act,
            as_json=lambda done: [done[0].number, done[1].version],
            from_json=lambda made_then: (
                self._read(made.experience, made_then[0]),
                self._made(made.experience, made_then[1]),
            ),
        )

    def activate(self, number: int, *, made: Change, share: int | None, expected: int | None) -> Change:
        def decide(now: Change | None) -> Change:
            self._read(made.experience, number)
            return activated(now, made, number=number, share=share)

        return self._change(made, expected, decide)

    def roll_back(self, *, made: Change, expected: int | None) -> Change:
        def decide(now: Change | None) -> Change:
            before = None if now is None or now.before is None else self._at(made.experience, now.before)
            change = rolled_back(now, before, made)
            for number in (change.active, change.partial):
                if number is not None:
                    self._read(made.experience, number)
            return change

        return self._change(made, expected, decide)

    def deactivate(self, *, made: Change, expected: int | None) -> Change:
        return self._change(made, expected, lambda now: deactivated(now, made))

    def _change(
        self, made: Change, expected: int | None, decide: Callable[[Change | None], Change]
    ) -> Change:
        def act() -> Change:
            now = self._now(made.experience, expected)
            return self._insert(decide(now), now)

        return self._journal.write(
            f"change of what runs of {made.experience}",
            act,
            as_json=lambda change: change.version,
            from_json=lambda version: self._made(made.experience, version),
        )

    def _now(self, experience: str, expected: int | None) -> Change | None:
        """The newest change, which stays the newest until this transaction ends."""
        self._database.hold("releases")
        bound = {"experience": rows.text(experience), "limit": 1}
        found = self._database.execute("release_changes", bound)
        now = _change(found[0]) if found else None
        require_version(now, expected, experience)
        return now

    def _at(self, experience: str, version: int) -> Change | None:
        bound = {"experience": rows.text(experience), "number": version}
        found = self._database.execute("release_change", bound)
        return _change(found[0]) if found else None

    def _made(self, experience: str, version: int) -> Change:
        change = self._at(experience, version)
        if change is None:
            raise UnknownRelease(f"change {version} of {experience} was made, and is here no more")
        return change

    def _insert(self, change: Change, now: Change | None) -> Change:
        ((last,),) = self._database.execute("last_release_change", {})
        made = replace(change, version=last + 1)
        self._database.execute_counted("insert_release_change", rows.bound(_CHANGE, made))
        before, after = differing(_told(now), _told(made))
        self._audit.note(
            "experience",
            made.action,
            object=made.experience,
            at=made.at,
            before=None if now is None else before,
            after=after,
            actor=made.actor,
        )
        return made

    # --- look

    def version(self) -> int:
        ((version,),) = self._database.read(lambda: self._database.execute("last_release_change", {}))
        return int(version)

    def live(self) -> Sequence[Change]:
        return self._database.read(lambda: live_changes(self._database.execute))

    def release(self, experience: str, number: int) -> Release:
        return self._database.read(lambda: self._read(experience, number))

    def _read(self, experience: str, number: int) -> Release:
        return read_release(self._database.execute, experience, number, database=self._database.name)

    def releases(self, experience: str, *, before: int | None = None, limit: int = 50) -> Sequence[Release]:
        below = rows.LARGEST if before is None else min(before, rows.LARGEST)
        bound = {"experience": rows.text(experience), "before": below, "limit": limit}
        return [_release(row) for row in self._database.look(lambda read: read("releases", bound))]

    def changes(self, experience: str, *, limit: int = 50) -> Sequence[Change]:
        bound = {"experience": rows.text(experience), "limit": limit}
        return [_change(row) for row in self._database.look(lambda read: read("release_changes", bound))]


def live_changes(look: Rows) -> Sequence[Change]:
    """Of each experience what runs, or that nothing does."""
    return [_change(row) for row in look("live_releases", {})]


def read_release(look: Rows, experience: str, number: int, *, database: str) -> Release:
    """One release with its files. UnknownRelease when `database`, as people call it, has none such."""
    found = look("release", {"experience": rows.text(experience), "number": min(number, rows.LARGEST)})
    if not found:
        raise UnknownRelease(
            f"there is no release {number} of {shown(experience)} in {database!r}; "
            "`experience releases list NAME` shows those there are"
        )
    *columns, packed = found[0]
    release = replace(_release(columns), files=json.loads(bytes(packed)))
    if Files(texts=release.files).digest != release.digest:
        raise InternalError(
            f"release {number} of {experience} is not what was released: its files have another digest "
            "now; release it again"
        )
    return release


def _told(change: Change | None) -> dict[str, Any]:
    if change is None:
        return {}
    return {"active": change.active, "partial": change.partial, "share": share_text(change.share)}


def _values(release: Release) -> rows.Values:
    files = json.dumps(dict(release.files), ensure_ascii=True).encode("ascii")
    return rows.bound(_RELEASE, release) | {"files": files}


def _release(row: Sequence[Any]) -> Release:
    return Release(**rows.read(_RELEASE, row))


def _change(row: Sequence[Any]) -> Change:
    return Change(**rows.read(_CHANGE, row))
