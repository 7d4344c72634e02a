"""Releases as JSON documents: what was released, and what runs."""

from collections.abc import Mapping, Sequence
from typing import Any

from experience_runtime.domain.differences import differences
from experience_runtime.domain.instants import iso
from experience_runtime.domain.releases import Change, Files, Release, share_text


def release_document(release: Release) -> dict[str, Any]:
    """One release, without its files."""
    return {
        "experience": release.experience,
        "number": release.number,
        "at": iso(release.at),
        "actor": release.actor,
        "note": release.note,
        "digest": release.digest,
        "size": release.size,
    }


def live_document(change: Change) -> dict[str, Any]:
    """What runs of an experience since its newest change."""
    return {
        "experience": change.experience,
        "version": change.version,
        "at": iso(change.at),
        "actor": change.actor,
        "action": change.action,
        "active": change.active,
        "partial": change.partial,
        "share": share_text(change.share),
    }


def whole_release_document(release: Release) -> dict[str, Any]:
    """One release with its files, sorted by name."""
    digests = Files(texts=release.files).digests
    files = [{"name": name, "sha256": digests[name], "text": release.files[name]} for name in digests]
    return release_document(release) | {"files": files}


def releases_document(live: Change, releases: Sequence[Release], *, limit: int) -> dict[str, Any]:
    """What runs of an experience, and its releases; `next` is the number that the rest is before."""
    more = releases[limit - 1].number if len(releases) > limit else None
    return {
        "live": live_document(live),
        "releases": [release_document(each) for each in releases[:limit]],
        "next": more,
    }


def made_document(release: Release, live: Change) -> dict[str, Any]:
    """A release that was just made, and what runs since."""
    return release_document(release) | {"live": live_document(live)}


def differences_document(
    before: Mapping[str, str], after: Mapping[str, str], *, old: int, new: int
) -> dict[str, Any]:
    """What differs between the files of two releases, as a unified diff of each file that does."""
    found = differences(before, after, old=str(old), new=str(new))
    return {"changed": [{"file": name, "diff": list(lines)} for name, lines in found.items()]}
