"""Experiences by name: those that are released, and the drafts of authors."""

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from experience_runtime.domain.errors import Forbidden, InvalidParameter, ScriptFault, ScriptModuleNotFound
from experience_runtime.domain.releases import Release
from experience_runtime.domain.values import nearest, shown
from experience_runtime.domain.visitors import Visitor
from experience_runtime.running.report import Report
from experience_runtime.runtime import Runtime
from experience_runtime.scripts.bundle import Bundle
from experience_runtime.scripts.loading import failed_report, name_of, prepare, prepare_release
from experience_runtime.settings.serving import EXPERIENCE_NAME, Served

MOST_FILES = 20


def experiences(served: Served, *, released_only: bool = False) -> Mapping[str, Path]:
    """The experiences by name; a released one hides a draft of its name."""
    found = dict(served.released)
    if released_only or served.drafts is None or not served.drafts.is_dir():
        return found
    for entry in sorted(served.drafts.iterdir()):
        is_file = entry.suffix in (".js", ".ts") and entry.is_file()
        is_one = entry.is_dir() or is_file
        name = entry.stem if is_file else entry.name
        if (
            is_one
            and EXPERIENCE_NAME.fullmatch(name)
            and entry.resolve().is_relative_to(served.drafts.resolve())
        ):
            found.setdefault(name, entry)
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """An experience that may be run: a release, or what stands at a path."""

    name: str
    path: Path | None = None
    release: Release | None = None

    @property
    def number(self) -> int | None:
        return None if self.release is None else self.release.number

    def prepare(self, *, variation: str | None = None, repair: bool = False) -> Bundle:
        """Raises ScriptFault for files that cannot be read."""
        if self.release is not None:
            return prepare_release(self.release, variation=variation, repair=repair)
        assert self.path is not None  # one of the two is there
        return prepare(self.path, variation=variation, repair=repair)

    def failed(self, visitor: Visitor, fault: ScriptFault) -> Report:
        """The report of a run that could not begin."""
        name = self.name if self.path is None else name_of(self.path)
        return failed_report(name, visitor, fault, release=self.number)


def find_experience(
    runtime: Runtime, name: str, *, released_only: bool, visitor: str | None = None, draft: bool = False
) -> Found:
    """What runs for this visitor; ScriptModuleNotFound when none of this name may be run.

    Once a name was released, what stands at a path of it is passed over: a folder can be half saved. `draft`
    asks for what stands there all the same; Forbidden where only released ones may be run.
    """
    if draft and released_only:
        raise Forbidden('"draft" is for authors; leave it out, and what is released runs')
    change = None if draft else runtime.live.all().get(name)
    if change is not None:
        number = change.of_visitor(visitor)
        if number is None:
            hint = '; an author runs the files on the disk with "draft": true'
            raise ScriptModuleNotFound(
                f"no release of {name} runs since {change.actor} deactivated it; "
                f"`experience releases activate {name} NUMBER` lets one run{'' if released_only else hint}"
            )
        return Found(name=name, release=runtime.live.release(name, number))
    found = experiences(runtime.settings.served, released_only=released_only)
    if name in found:
        return Found(name=name, path=found[name])
    meant = nearest(name, {*found, *runtime.live.all()})
    hint = (
        f"did you mean {meant}?"
        if meant and meant != name
        else "release it with `experience release PATH --name NAME`"
    )
    kind = "released " if released_only else "draft of " if draft else ""
    raise ScriptModuleNotFound(f"there is no {kind}experience {shown(name)}; {hint}")


def listed(runtime: Runtime) -> list[dict[str, Any]]:
    """Every experience by name: whether sites may run it, and out of what.

    `release` is the number of the release that runs; `source` is `release`, or `path` or `draft` for files
    on disk.
    """
    served, live = runtime.settings.served, runtime.live.all()
    found: dict[str, dict[str, Any]] = {
        name: {
            "name": name,
            "released": name in served.released,
            "release": None,
            "source": "path" if name in served.released else "draft",
        }
        for name in experiences(served)
    }
    for name, change in live.items():
        found[name] = {
            "name": name,
            "released": change.active is not None,
            "release": change.active,
            "source": "release",
        }
    return [found[name] for name in sorted(found)]


@contextmanager
def written(files: Mapping[str, str]) -> Iterator[Path]:
    """A folder of these files for a while, read as any experience is."""
    if len(files) > MOST_FILES:
        raise InvalidParameter(f"there are {len(files)} files; write at most {MOST_FILES}")
    with tempfile.TemporaryDirectory(prefix="experience-") as made:
        folder = Path(made) / "playground"
        folder.mkdir()
        for name, text in files.items():
            stem, dot, suffix = name.rpartition(".")
            if not dot or suffix not in ("js", "ts", "json") or not EXPERIENCE_NAME.fullmatch(stem):
                raise InvalidParameter(
                    f"file {shown(name)} is not one an experience has; write for instance variation.js"
                )
            (folder / name).write_bytes(text.encode("utf-8", "surrogatepass"))
        yield folder
