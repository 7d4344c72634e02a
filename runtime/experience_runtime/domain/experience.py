"""Experiences: the author's files as values."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from experience_runtime.domain.traffic import Traffic


@dataclass(frozen=True, slots=True)
class SourceText:
    """One file: its name as the author knows it, and its text."""

    file: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Experience:
    """An experience as read. `meta` is package.json's; `linked` is None when every integration is linked. A
    control has triggers and no variation. `beside` names the other files of code that stand there and are
    not part of it. `release` is the number of the release it is; None for files on disk. Where `traffic`
    chooses among several variations, `variants` are those by their names in it, and `assigned` is the name of
    the one it chose."""

    name: str
    is_folder: bool = False
    release: int | None = None
    variation: SourceText | None = None
    triggers: SourceText | None = None
    shared: Mapping[str, SourceText] = field(default_factory=dict)  # './utils' and './common'
    global_script: SourceText | None = None
    json_files: Mapping[str, str] = field(default_factory=dict)  # './prices.json' -> text
    meta: Mapping[str, Any] = field(default_factory=dict)
    linked: tuple[str, ...] | None = None
    master_id: int | None = None
    beside: tuple[str, ...] = ()
    package_text: str = ""
    traffic: Traffic | None = None
    variants: Mapping[str, "Experience"] = field(default_factory=dict)
    assigned: str | None = None
