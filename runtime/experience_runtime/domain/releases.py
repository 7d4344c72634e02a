"""Releases: numbered copies of an experience's files, which of them runs for whom, and how that changes."""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property

from experience_runtime.domain.errors import Conflict, InvalidParameter
from experience_runtime.domain.values import shown

EXPERIENCE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}")

MOST_FILES = 200
MOST_BYTES = 2 * 1024 * 1024
MOST_FILE_BYTES = 1024 * 1024
_LONGEST_FILE_NAME = 200

PARTS = 10_000
"""Into how many equal parts visitors fall: shares are counted in hundredths of a percent."""

_CODE_FILE = re.compile(r"(?:variation(?:-[0-9]{1,18})?|triggers|utils|common|global)\.[jt]s")
_NAME_PART = re.compile(r"[\w@+~][\w@+~. -]*")
_SHARE = re.compile(r"([0-9]{1,2})(?:\.([0-9]{1,2}))? ?%")


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """One release. `digest` is that of its files; `files` are their texts by name, empty in lists."""

    experience: str
    number: int
    at: datetime
    actor: str
    note: str
    digest: str
    size: int  # bytes of all files
    files: Mapping[str, str] = field(default_factory=dict, compare=False)  # the digest stands for them


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What runs since then: `active` for all, but `partial` for `share` ten-thousandths of the visitors.

    `version` grows with every change of any experience. `before` is the version that a rollback goes back to.
    """

    experience: str
    version: int
    at: datetime
    actor: str
    action: str  # "release" | "activate" | "rollback" | "deactivate"
    active: int | None
    partial: int | None = None
    share: int | None = None
    before: int | None = None

    def of_visitor(self, visitor: str | None) -> int | None:
        """The release that runs for a visitor; somebody unknown is in no share."""
        if self.partial is None or self.share is None or visitor is None:
            return self.active
        return self.partial if part_of(self.experience, visitor) < self.share else self.active

    @property
    def words(self) -> str:
        """What runs, for people."""
        return what_runs(self.active, self.partial, share_text(self.share))


@dataclass(frozen=True, kw_only=True)
class Files:
    """The files of a release: names that cannot lead anywhere, texts, and not too much of it."""

    texts: Mapping[str, str]

    @cached_property
    def digests(self) -> Mapping[str, str]:
        """The SHA-256 of each file, by name."""
        return {name: _digest(text.encode()) for name, text in sorted(self.texts.items())}

    @cached_property
    def digest(self) -> str:
        """The SHA-256 of what `sha256sum` prints of all files, sorted by name."""
        lines = (f"{digest}  {name}\n" for name, digest in self.digests.items())
        return _digest("".join(lines).encode())

    @property
    def size(self) -> int:
        return sum(len(text.encode()) for text in self.texts.values())


def check_files(texts: Mapping[str, str]) -> Files:
    """The files that a stranger sends as a release's. Raises InvalidParameter."""
    if not texts:
        raise InvalidParameter('a release has files; send for instance {"variation.js": "…"}')
    if len(texts) > MOST_FILES:
        raise InvalidParameter(f"there are {len(texts)} files; a release has at most {MOST_FILES}")
    for name, text in texts.items():
        _check_file_name(name)
        try:
            size = len(text.encode())
        except UnicodeEncodeError:
            raise InvalidParameter(f"{name} holds half a character; send whole ones") from None
        if size > MOST_FILE_BYTES:
            raise InvalidParameter(
                f"{name} has {size} bytes; a file of a release has at most {MOST_FILE_BYTES // 2**20} MiB"
            )
    files = Files(texts=dict(texts))
    if files.size > MOST_BYTES:
        raise InvalidParameter(
            f"the files have {files.size} bytes; a release has at most {MOST_BYTES // 2**20} MiB"
        )
    return files


def _check_file_name(name: str) -> None:
    parts = name.split("/")
    is_json = name.endswith(".json") and all(_NAME_PART.fullmatch(part) for part in parts)
    if len(name) > _LONGEST_FILE_NAME or not (is_json or _CODE_FILE.fullmatch(name)):
        raise InvalidParameter(
            f"file {shown(name)} is not one that an experience has; send variation.js, variation-2.js, "
            "triggers.js, utils.js, common.js, global.js (or .ts), package.json and other .json files"
        )


def check_experience_name(name: str) -> str:
    """The name itself; InvalidParameter for one that no experience can have."""
    if not EXPERIENCE_NAME.fullmatch(name):
        raise InvalidParameter(
            f"{shown(name)} cannot be the name of an experience; use up to 100 letters, digits, - and _"
        )
    return name


def parse_share(text: str | None) -> int | None:
    """`"10%"` or `"2.5%"` in ten-thousandths; None for none. InvalidParameter for what is no share."""
    if text is None:
        return None
    found = _SHARE.fullmatch(text.strip())
    share = 0 if found is None else int(found[1]) * 100 + int((found[2] or "").ljust(2, "0"))
    if not share:
        raise InvalidParameter(
            f'share {shown(text)} is none; write a percentage above 0 and below 100, such as "10%" or "2.5%"'
        )
    return share


def share_text(share: int | None) -> str | None:
    """A share as people write it: `10%`."""
    return None if share is None else f"{share / 100:g}%"


def what_runs(active: int | None, partial: int | None, share: str | None) -> str:
    """What runs of an experience, for people; `share` as `share_text` gives it."""
    if active is None:
        return "nothing runs"
    if partial is None:
        return f"release {active} runs"
    return f"release {partial} runs for {share} of visitors, {active} for others"


def part_of(experience: str, visitor: str, *, kind: str = "share") -> int:
    """Which of 10,000 equal parts a visitor falls into: always the same one of an experience.

    `kind`: what is parted; who is in the same part for one kind is anywhere for another.

    Source: reference/releases#shares, with vectors.
    """
    digest = hashlib.sha256(f"{kind}\n{experience}\n{visitor}".encode("utf-8", "replace")).digest()
    return int.from_bytes(digest[:8], "big") * PARTS >> 64


def activated(
    now: Change | None, made: Change, *, number: int, share: int | None, action: str = "activate"
) -> Change:
    """What runs once this release does, for a share of the visitors or for all.

    `made` says who changes it and when. Raises Conflict for a share beside nothing, or beside itself.
    """
    if share is None:
        return replace(made, action=action, active=number, before=_version(now))
    if now is None or now.active is None:
        raise Conflict(
            f"no release of {made.experience} runs for the other {share_text(PARTS - share)} of visitors; "
            "leave the share out, or activate another release first"
        )
    if now.active == number:
        raise Conflict(f"release {number} of {made.experience} runs for everybody; it takes no share of them")
    return replace(made, action=action, active=now.active, partial=number, share=share, before=_version(now))


def rolled_back(now: Change | None, before: Change | None, made: Change) -> Change:
    """What ran before. Raises Conflict where nothing did."""
    if now is None or before is None:
        raise Conflict(
            f"there is nothing to roll {made.experience} back to; "
            f"`experience releases deactivate {made.experience}` stops it"
        )
    return replace(before, version=made.version, at=made.at, actor=made.actor, action="rollback")


def deactivated(now: Change | None, made: Change) -> Change:
    """Nothing any more. Raises Conflict where nothing runs as it is."""
    if now is None or now.active is None:
        raise Conflict(f"no release of {made.experience} runs; nothing is to be deactivated")
    return replace(made, action="deactivate", active=None, before=_version(now))


def require_version(now: Change | None, expected: int | None, experience: str) -> None:
    """Raise Conflict when another change came first; `expected` None: whatever runs."""
    version = _version(now) or 0
    if expected is not None and expected != version:
        what = "nothing was released" if now is None else f"{now.words}, since {now.actor} changed it"
        raise Conflict(
            f"{experience} was changed meanwhile: {what} (version {version}, you saw {expected}); "
            "look at its releases, and decide again"
        )


def _version(change: Change | None) -> int | None:
    return None if change is None else change.version


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
