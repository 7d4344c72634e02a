"""Rendering: templates to answers that hold nothing but their own scripts and styles."""

import hashlib
import re
from dataclasses import dataclass
from functools import cache, cached_property
from importlib.resources import files
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import Depends, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from jinja2 import Environment, PackageLoader, StrictUndefined

from experience_runtime.documents.audit import differences
from experience_runtime.domain.access import Right
from experience_runtime.domain.errors import ExperienceError
from experience_runtime.web.guard.login import form_token
from experience_runtime.web.guard.problems import told_of
from experience_runtime.web.guard.proxies import path_prefix
from experience_runtime.web.pages import wording as spoken
from experience_runtime.web.pages.cells import labelled

# Not `no-referrer`: then a browser would not say where a form comes from, and it would be refused.
HEADERS = {"Referrer-Policy": "same-origin"}
_STATIC_TYPES = {"css": "text/css", "js": "text/javascript", "svg": "image/svg+xml"}

_FOREVER = "public, max-age=31536000, immutable"
_STATIC_ADDRESS = re.compile(r'(?<=(?:href|.src)=")/static/([a-z.]+)(?=")')
_OWN_ADDRESS = re.compile(r'(\b(?:href|src|action|formaction|data-stamp)=")/(?!/)')

_DID = {
    "cancelled": "The execution is cancelled.",
    "selected-cancelled": "The chosen executions are cancelled.",
    "selected-replayed": "The chosen executions are pending again, and due now.",
    "selected-restored": "The chosen executions are pending again, each at its own time.",
    "selected-moved": "The chosen executions are moved, each inside its window.",
    "moved": "The execution is moved. Below is when it is due now, inside its window.",
    "run-now": "The execution is due now. Outside its window it waits for the next opening.",
    "replayed": "The execution is pending again, and due now.",
    "restored": "The execution is pending again, at its own time.",
    "paused": "The integration is paused: no execution of it starts. What already runs goes on.",
    "resumed": "The integration goes on.",
    "called": "The integration answered. The call is kept as an execution.",
    "settings-saved": "The settings are saved. Every server and worker uses them within a second.",
    "webhook-told": "The webhook took the test.",
    "held": "Everything is held: no worker starts anything. What already runs goes on.",
    "released": "Deliveries go on.",
    "saved": "The schedule is saved.",
    "schedule-paused": "The schedule is paused. What it would have fired meanwhile is not caught up.",
    "schedule-resumed": "The schedule goes on, from its next instant.",
    "schedule-run": "The schedule runs once now. Its next instant is not moved.",
    "schedule-removed": "The schedule is removed. What it fired is kept. For a day it can be restored.",
    "schedule-restored": "The schedule is restored. It goes on from its next instant.",
    "converted": "The conversion is recorded.",
    "activated": "The release runs. Every server of this database follows within a second.",
    "rolled-back": "What ran before runs again. Every server of this database follows within a second.",
    "deactivated": "Nothing of it runs any more. What was scheduled stays scheduled.",
    "erased": "The visitor is erased, with everything that was kept of them.",
}
"""What a form's answer says after its redirect: a closed list, so that nobody can say anything else."""

_WRONG = ' aria-invalid="true"'
"""The first field of a form that was refused has the focus."""

_NOTE = "experience_note"
"""The cookie that has a key of it, from the redirect to the next page. Not `Secure`: it is no secret."""
_NOTE_SECONDS = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class StaticFile:
    """A file of the pages' own; its version is another whenever its content is."""

    content: bytes
    media_type: str
    version: str


class Rendering:
    """Makes the answers of the pages."""

    def page(
        self,
        request: Request,
        template: str,
        *,
        here: str,
        status: int = 200,
        invalid: str = "",
        **values: Any,
    ) -> HTMLResponse:
        """Render a whole page. A refusal among the values is told without secrets; `invalid` is the id of the
        field that it is about."""
        caller = getattr(request.state, "caller", None)

        def may(right: Right) -> bool:
            return caller is not None and caller.may(right)

        # what looks again in the background takes no note from who clicked
        note = "" if "x-live" in request.headers else request.cookies.get(_NOTE, "")
        told = {name: _told(request, value) for name, value in values.items()}
        text = (
            _environment()
            .get_template(template)
            .render(
                here=here,
                did=_DID.get(note),
                form_token=form_token(request),
                caller=caller,
                operates=may(Right.CHANGE),
                reads=may(Right.READ),
                tries=may(Right.TRY),
                may_release=may(Right.RELEASE),
                **told,
            )
        )
        if invalid:
            text = text.replace(f' id="{invalid}"', f' id="{invalid}"{_WRONG}', 1)
        text = labelled(text.replace(_WRONG, _WRONG + " autofocus", 1))
        # in what a template was given, every quote is an entity: these are addresses of the templates
        text = _STATIC_ADDRESS.sub(self._with_version, text)
        if prefix := path_prefix(request.scope):
            text = _OWN_ADDRESS.sub(rf"\1{prefix}/", text)
        # a text that was cut inside a surrogate pair is still shown
        content = text.encode("utf-8", "replace")
        answer = HTMLResponse(content, status_code=status, headers=HEADERS)
        if note:
            answer.delete_cookie(_NOTE, path="/", httponly=True, samesite="lax")
        return answer

    @cached_property
    def _static(self) -> dict[str, StaticFile]:
        folder = files("experience_runtime.web").joinpath("static")
        return {
            each.name: _static_file(each.read_bytes(), each.name.rpartition(".")[2])
            for each in folder.iterdir()
            if each.name.rpartition(".")[2] in _STATIC_TYPES
        }

    def static(self, name: str, version: str) -> Response:
        """One of the pages' own files; nothing else can be named. What is asked for by version stays."""
        found = self._static.get(name)
        if found is None:
            return Response(status_code=404)
        kept = _FOREVER if version == found.version else "no-cache"
        headers = {"X-Content-Type-Options": "nosniff", "Cache-Control": kept}
        return Response(found.content, media_type=found.media_type, headers=headers)

    def _with_version(self, address: re.Match[str]) -> str:
        found = self._static.get(address[1])
        return address[0] if found is None else f"{address[0]}?v={found.version}"


def _static_file(content: bytes, ending: str) -> StaticFile:
    version = hashlib.sha256(content).hexdigest()[:12]
    return StaticFile(content=content, media_type=_STATIC_TYPES[ending], version=version)


def _told(request: Request, value: object) -> object:
    return told_of(request, value) if isinstance(value, ExperienceError) else value


def back_to(path: str, did: str = "") -> RedirectResponse:
    """Go to a page after a form was acted on; `did` is a key of what it says there, once."""
    answer = RedirectResponse(path, status_code=303)
    if did:
        answer.set_cookie(_NOTE, did, max_age=_NOTE_SECONDS, path="/", httponly=True, samesite="lax")
    return answer


def rendering_of(request: Request) -> Rendering:
    """The one Rendering of the application a request belongs to."""
    rendering = request.app.state.rendering
    assert isinstance(rendering, Rendering)
    return rendering


async def _given(request: Request) -> Rendering:
    return rendering_of(request)


GivenRendering = Annotated[Rendering, Depends(_given)]


@cache  # templates are compiled once a process
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("experience_runtime.web", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "utc": lambda text: str(text)[:19].replace("T", " "),
        "local": spoken.day_and_time,
        "pretty": spoken.pretty,
        "on_page": spoken.on_page,
        "short": spoken.short,
        "quoted": lambda text: quote(str(text), safe=""),
    }
    environment.filters["differences"] = differences
    return environment
