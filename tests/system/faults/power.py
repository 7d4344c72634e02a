"""Power loss: what a disk may hold when everything that was not synced is lost, torn, or there."""

import random
from dataclasses import dataclass, field
from pathlib import Path

from .vfs import Deleted, DiskEvent, Synced, Truncated, Written

SECTOR_BYTES = 512
"""What a disk writes whole. SQLite relies on nothing larger."""


@dataclass
class Platter:
    """Follows the events of a disk; `lose_power` writes one of the states they may leave."""

    _durable: dict[str, bytes] = field(default_factory=dict)
    _unsynced: dict[str, list[Written | Truncated]] = field(default_factory=dict)
    _ghosts: dict[str, bytes] = field(default_factory=dict)  # deleted, and the folder is not synced since

    def follow(self, event: DiskEvent) -> None:
        match event:
            case Synced(file):
                if file not in self._durable and file.endswith(("-wal", "-journal")):
                    self._ghosts.clear()  # with the first sync of a new log SQLite syncs the folder
                self._durable[file] = _applied(self._durable.get(file, b""), self._unsynced.pop(file, []))
            case Deleted(file, synced):
                content = self._durable.pop(file, None)
                if content is not None and not synced:
                    self._ghosts[file] = content
                self._unsynced.pop(file, None)
            case Written() | Truncated():
                self._unsynced.setdefault(event.file, []).append(event)

    def lose_power(self, folder: Path, chance: random.Random) -> str:
        """Write the files into a new folder; return the path of the database."""
        folder.mkdir()
        survival = chance.choice([0.0, 0.5, 0.9, 1.0])  # 0: only what was synced
        for file in sorted({*self._durable, *self._unsynced, *self._ghosts}):
            if file in self._ghosts and chance.random() < 0.5:
                (folder / file).write_bytes(self._ghosts[file])
                continue
            content = self._durable.get(file)
            survivors = _survivors(self._unsynced.get(file, []), survival, chance)
            if content is None and not survivors:
                continue
            (folder / file).write_bytes(_applied(content or b"", survivors))
        return str(folder / "experience.db")


def _survivors(
    changes: list[Written | Truncated], survival: float, chance: random.Random
) -> list[Written | Truncated]:
    kept: list[Written | Truncated] = []
    for change in changes:
        if isinstance(change, Truncated):
            kept += [change] if chance.random() < survival else []
            continue
        start = 0
        while start < len(change.content):
            end = start + SECTOR_BYTES - (change.offset + start) % SECTOR_BYTES
            if chance.random() < survival:
                kept.append(Written(change.file, change.offset + start, change.content[start:end]))
            start = end
    return kept


def _applied(content: bytes, changes: list[Written | Truncated]) -> bytes:
    made = bytearray(content)
    for change in changes:
        if isinstance(change, Truncated):
            del made[change.size :]
            continue
        made.extend(bytes(max(0, change.offset - len(made))))
        made[change.offset : change.offset + len(change.content)] = change.content
    return bytes(made)
