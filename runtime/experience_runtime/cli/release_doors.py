"""The two ways to the releases of an experience: this machine's database, and a server that is asked."""

from typing import Any, Protocol
from urllib.parse import quote

from experience_runtime.cli.server import Server
from experience_runtime.documents.releases import (
    differences_document,
    live_document,
    made_document,
    whole_release_document,
)
from experience_runtime.domain.errors import InvalidParameter
from experience_runtime.releasing.releasing import Act, Wanted, change, list_releases, live_of, release
from experience_runtime.runtime import Runtime

LISTED = 50


class Door(Protocol):
    """What the commands ask; each answers the document that the API has for it."""

    def list(self, name: str) -> dict[str, Any]: ...

    def show(self, name: str, number: int) -> dict[str, Any]: ...

    def diff(self, name: str, old: int, new: int) -> dict[str, Any]: ...

    def release(
        self, name: str, files: dict[str, str], *, note: str, share: str | None
    ) -> dict[str, Any]: ...

    def change(
        self, name: str, act: Act, *, number: int | None = None, share: str | None = None
    ) -> dict[str, Any]:
        """Change what is known to run now; Conflict when somebody else is quicker."""
        ...


class DatabaseDoor:
    """The releases of a runtime's database, changed by `actor`."""

    def __init__(self, runtime: Runtime, *, actor: str) -> None:
        self._runtime = runtime
        self._actor = actor

    def list(self, name: str) -> dict[str, Any]:
        return list_releases(self._runtime, name, limit=LISTED)

    def show(self, name: str, number: int) -> dict[str, Any]:
        return whole_release_document(self._runtime.store.releases.release(name, number))

    def diff(self, name: str, old: int, new: int) -> dict[str, Any]:
        before, after = (self._runtime.store.releases.release(name, number).files for number in (old, new))
        return differences_document(before, after, old=old, new=new)

    def release(self, name: str, files: dict[str, str], *, note: str, share: str | None) -> dict[str, Any]:
        wanted = Wanted(experience=name, files=files, actor=self._actor, note=note, share=share)
        return made_document(*release(self._runtime, wanted))

    def change(
        self, name: str, act: Act, *, number: int | None = None, share: str | None = None
    ) -> dict[str, Any]:
        expected = live_of(self._runtime, name).version
        done = change(
            self._runtime,
            name,
            act,
            actor=self._actor,
            expected=expected,
            number=number,
            share=share,
        )
        return live_document(done)


class ServerDoor:
    """The releases of a server."""

    def __init__(self, server: Server) -> None:
        self._server = server

    def list(self, name: str) -> dict[str, Any]:
        return self._get(_path(name), {"live": dict, "releases": list}, limit=LISTED)

    def show(self, name: str, number: int) -> dict[str, Any]:
        return self._get(f"{_path(name)}/{number}", {"number": int, "files": list})

    def diff(self, name: str, old: int, new: int) -> dict[str, Any]:
        return self._get(f"{_path(name)}/{new}/diff", {"changed": list}, against=old)

    def release(self, name: str, files: dict[str, str], *, note: str, share: str | None) -> dict[str, Any]:
        body = {"files": files, "note": note, "share": share}
        return _checked(self._server.post(_path(name), body), {"number": int, "live": dict})

    def change(
        self, name: str, act: Act, *, number: int | None = None, share: str | None = None
    ) -> dict[str, Any]:
        body: dict[str, object] = {"expected": self.list(name)["live"]["version"]}
        verb: str = act
        if act is Act.ACTIVATE:
            verb, body["share"] = f"{number}/{act}", share
        return _checked(self._server.post(f"{_path(name)}/{verb}", body), {"version": int})

    def _get(self, path: str, shape: dict[str, type], **query: object) -> dict[str, Any]:
        return _checked(self._server.get(path, **query), shape)


def _path(name: str) -> str:
    return f"/experiences/{quote(name, safe='')}/releases"


def _checked(document: Any, shape: dict[str, type]) -> dict[str, Any]:
    """The document, if it is of the kind that was asked for."""
    if isinstance(document, dict) and all(isinstance(document.get(key), shape[key]) for key in shape):
        return document
    raise InvalidParameter(
        "the server answers with another document than was asked for; give it the version of this command"
    )
