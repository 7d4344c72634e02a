"""Releases as JSON documents: what was released, and what runs."""

from typing import Any

from experience_runtime.domain.instants import iso
from experience_runtime.domain.releases import Change, Release, share_text


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
