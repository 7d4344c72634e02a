"""Releases, as the API answers them."""

from typing import Any, Literal

from pydantic import BaseModel, Field

from experience_runtime.web.api.openapi import Instant


class LiveRelease(BaseModel):
    """What runs: `active` for all, but `partial` for `share` of the visitors. Null: nothing does.

    `version` is what a change names as `expected`.
    """

    experience: str
    version: int
    at: Instant
    actor: str
    action: Literal["release", "activate", "rollback", "deactivate"]
    active: int | None
    partial: int | None
    share: str | None


class ShownRelease(BaseModel):
    """One release: who made it and when, the SHA-256 of its files, and their size in bytes."""

    experience: str
    number: int
    at: Instant
    actor: str
    note: str
    digest: str
    size: int


class MadeRelease(ShownRelease):
    live: LiveRelease


class ReleaseFile(BaseModel):
    name: str
    sha256: str
    text: str


class WholeRelease(ShownRelease):
    files: list[ReleaseFile]


class ListedReleases(BaseModel):
    live: LiveRelease
    releases: list[ShownRelease]
    next: int | None = Field(description="Give it as `before` for those before; null: there are none.")


class ChangedFile(BaseModel):
    file: str
    diff: list[str] = Field(description="The lines of a unified diff.")


class Differences(BaseModel):
    changed: list[ChangedFile]


LIVE: dict[str, Any] = {
    "experience": "reminder",
    "version": 7,
    "at": "2026-03-06T15:30:00.000Z",
    "actor": "ops",
    "action": "release",
    "active": 4,
    "partial": None,
    "share": None,
}
SHOWN: dict[str, Any] = {
    "experience": "reminder",
    "number": 4,
    "at": "2026-03-06T15:30:00.000Z",
    "actor": "ops",
    "note": "two hours, not one",
    "digest": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "size": 412,
}
MADE = SHOWN | {"live": LIVE}
WHOLE = SHOWN | {
    "files": [{"name": "variation.js", "sha256": SHOWN["digest"], "text": "module.exports = () => {}\n"}]
}
LISTED = {"live": LIVE, "releases": [SHOWN], "next": None}
CHANGED = {
    "changed": [
        {
            "file": "variation.js",
            "diff": ["--- 3/variation.js", "+++ 4/variation.js", "@@ -1 +1 @@", "-'1 hour'", "+'2 hours'"],
        }
    ]
}
