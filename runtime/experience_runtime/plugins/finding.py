"""Finding integrations: by entry points, in a folder of Python files, and whether a class may be one."""

import functools
import hashlib
import importlib
import importlib.util
import inspect
import os
import pkgutil
import re
import sys
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from types import ModuleType
from typing import Any

from pydantic import BaseModel

from experience_runtime.domain.errors import InvalidParameter
from experience_runtime.integration import Backoff, Integration
from experience_runtime.plugins.quarantine import likely_name
from experience_runtime.untrusted import foreign, raised_at, spell

GROUP = "experience_runtime.integrations"
BUILT_INS = "experience_integrations"
MOST_RETRIES = 1000

_RUN_LATER = (inspect.iscoroutinefunction, inspect.isgeneratorfunction, inspect.isasyncgenfunction)

AnyIntegration = Integration[Any, Any]


def load_file(path: Path) -> type[AnyIntegration]:
    """The integration of one file; InvalidParameter for a file that is broken or holds none, or several."""
    found = list(_in_module(_import_file(path, _package(path.parent)), str(path)))
    if len(found) != 1:
        raise InvalidParameter(f"{path} holds {len(found)} integrations; name the class of the one meant")
    kind: type[AnyIntegration] = found[0].load()
    return kind


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A registered name, where it comes from for people, and how to get its class.

    `why`: what is broken, where that is known before it is loaded; `name` is then the likely one.
    """

    name: str
    source: str
    load: Callable[[], Any]
    why: str | None = None

    def make(self) -> AnyIntegration:
        """Raises InvalidParameter where it is broken."""
        if self.why is not None:
            raise InvalidParameter(self.why)
        with foreign() as raised:
            kind = self.load()
        if raised.error is not None:
            raise InvalidParameter(
                f'the integration "{self.name}" ({self.source}) cannot be loaded: '
                f"{named(raised.error, at=self._place(raised.error))}; repair or uninstall it"
            )
        _check(kind, self.source)
        if kind.name != self.name:
            raise InvalidParameter(
                f'{self.source} is registered as "{self.name}" but names itself "{kind.name}";'
                " make them equal"
            )
        with foreign() as raised:
            integration: AnyIntegration = kind()
        if raised.error is not None:
            raise InvalidParameter(
                f'the integration "{self.name}" ({self.source}) cannot be made: '
                f"{named(raised.error, at=raised_at(raised.error, kind))}; repair it"
            )
        return integration

    def _place(self, problem: BaseException) -> str:
        """Where in its own package it was raised while that was imported."""
        package = self.source.partition(":")[0].partition(".")[0]
        places = [
            (frame.f_code.co_filename, line) for frame, line in traceback.walk_tb(problem.__traceback__)
        ]
        if isinstance(problem, SyntaxError) and problem.filename:
            places.append((problem.filename, problem.lineno or 1))
        for file, line in reversed(places):
            path = Path(file)
            if package in path.parts[:-1] or path.stem == package:
                return f" at {path.name}:{line}"
        return ""


def installed() -> Iterator[Found]:
    points = {(point.name, point.value) for point in entry_points(group=GROUP)}
    for name, value in sorted(points):
        yield Found(name=name, source=value, load=EntryPoint(name, value, GROUP).load)
    if not any(value.startswith(f"{BUILT_INS}.") for _, value in points):
        yield from _in_checkout()


def _in_checkout() -> Iterator[Found]:
    """The built-ins of a source checkout that is not installed, and so has no entry points."""
    try:
        package = importlib.import_module(BUILT_INS)
    except ModuleNotFoundError:
        return
    for entry in pkgutil.iter_modules(package.__path__):
        name = f"{BUILT_INS}.{entry.name}"
        yield from _in_module(importlib.import_module(name), name)


def in_folder(folder: Path | None) -> Iterator[Found]:
    """The files NAME.py of a folder; those that begin with `_` are helpers, which the others import."""
    if folder is None:
        return
    if not folder.is_dir():
        raise InvalidParameter(
            f"the integrations folder {folder} does not exist; create it or correct --integrations"
        )
    package = _package(folder)
    for path in sorted(folder.glob("*.py")):
        if path.name.startswith("_"):
            continue
        try:
            found = list(_in_module(_import_file(path, package), str(path)))
            if not found:
                raise InvalidParameter(
                    f"{path}:1: it holds no integration: no subclass of Integration with a name;"
                    f" write one, or begin the file's name with _"
                )
        except InvalidParameter as problem:
            found = [broken(likely_name(path), str(path), problem.message)]
        yield from found


def broken(name: str, source: str, why: str) -> Found:
    """What stands in the place of something broken."""
    return Found(name=name, source=source, load=functools.partial(_itself, object), why=why)


def _package(folder: Path) -> str:
    """Make the folder a package, so that `from ._common import x` finds its own _common.py; its name.

    It is a name of this folder alone: helpers of two folders never meet, and none is on sys.path. Helpers
    that were imported before are read anew, as the integrations are.
    """
    digest = hashlib.sha256(str(folder.resolve()).encode()).hexdigest()[:12]
    name = f"_experience_integrations_{digest}"
    for helper in [each for each in list(sys.modules) if each.startswith(f"{name}._")]:
        sys.modules.pop(helper, None)
    package = ModuleType(name)
    package.__path__ = [os.path.abspath(folder)]
    sys.modules[name] = package
    importlib.invalidate_caches()  # a helper may be younger than what is known of the folder
    return name


def _import_file(path: Path, package: str) -> ModuleType:
    name = f"{package}.{path.stem.replace('.', ':')}"  # a dot would name a package within
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise InvalidParameter(f"{path} cannot be imported as Python; rename it to NAME.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # pydantic and dataclasses look types up there
    with foreign() as raised:
        spec.loader.exec_module(module)
    if raised.error is not None:
        del sys.modules[name]
        file, line = _place(raised.error, path)
        raise InvalidParameter(f"{file}:{line}: {named(raised.error)}; {_repair(raised.error, path.parent)}")
    return module


def _repair(problem: BaseException, folder: Path) -> str:
    if isinstance(problem, ModuleNotFoundError) and (problem.name or "").startswith("_"):
        helper = f"{problem.name}.py"
        if (folder / helper).is_file():
            return f"{helper} is beside it: import it with a dot, from .{problem.name} import …"
    return "correct the file or remove it from the folder"


def _in_module(module: ModuleType, source: str) -> Iterator[Found]:
    """The integrations a module defines itself, not those it imports."""
    for kind in list(vars(module).values()):
        if (
            isinstance(kind, type)
            and issubclass(kind, Integration)
            and kind.__module__ == module.__name__
            and hasattr(kind, "name")
        ):
            where = f"{source}:{kind.__name__}"
            _check(kind, where)
            yield Found(name=kind.name, source=where, load=functools.partial(_itself, kind))


def given(kind: type[AnyIntegration]) -> Iterator[Found]:
    where = f"{kind.__module__}:{kind.__qualname__}"
    _check(kind, where)
    yield Found(name=kind.name, source=where, load=functools.partial(_itself, kind))


def _itself(kind: type) -> type:
    return kind


def _check(kind: Any, source: str) -> None:
    if not (isinstance(kind, type) and issubclass(kind, Integration)):
        raise InvalidParameter(f"{source} is no subclass of Integration; see experience_runtime.integration")
    name = getattr(kind, "name", None)
    if not isinstance(name, str) or not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}", name):
        raise InvalidParameter(
            f"{source}: {name!r} cannot be an integration's name; use up to 100 letters, digits, - and _"
        )
    if kind.call is Integration.call:
        raise InvalidParameter(f"{source} has no method call(self, payload, context); write one")
    for part in ("call", "check"):
        if any(runs_later(getattr(kind, part)) for runs_later in _RUN_LATER):
            raise InvalidParameter(
                f"{source}: {part} is async or a generator, which nothing runs; make it a plain function"
            )
    if not isinstance(kind.retries, int) or not 0 <= kind.retries <= MOST_RETRIES:
        raise InvalidParameter(
            f"{source}: retries = {kind.retries!r} must be a whole number from 0 to {MOST_RETRIES}"
        )
    if not isinstance(kind.backoff, Backoff):
        raise InvalidParameter(f"{source}: backoff = {kind.backoff!r} must be a Backoff(…)")
    for part in ("settings", "payload"):
        model = getattr(kind, part)
        if model is not None and not (isinstance(model, type) and issubclass(model, BaseModel)):
            raise InvalidParameter(f"{source}: {part} must be a pydantic model (the class) or None")


def _place(problem: BaseException, path: Path) -> tuple[Path, int | str]:
    """Where in the folder it was raised: the file or the helper that it imports, and the line."""
    places = [(frame.filename, frame.lineno) for frame in traceback.extract_tb(problem.__traceback__)]
    if isinstance(problem, SyntaxError) and problem.filename:
        places.append((problem.filename, problem.lineno))
    folder = os.path.abspath(path.parent)
    for file, line in reversed(places):
        if os.path.dirname(os.path.abspath(file)) == folder:
            return path.parent / os.path.basename(file), line or "?"
    return path, "?"


def named(problem: BaseException, *, at: str = "") -> str:
    """What was raised, by its class and text; `at` says where."""
    text = problem.msg if isinstance(problem, SyntaxError) else spell(problem)
    return f"{type(problem).__name__}{at}: {text}"
