"""A guest: one run in the sandbox, what goes in and what comes out. Each docstring is a contract."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from experience_runtime.domain.experience import Experience


@dataclass(frozen=True, slots=True)
class Position:
    """A place in an author's file; line and column count from 1."""

    file: str
    line: int
    column: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """What went wrong in an author's file, and where; the place is None when the engine does not know it."""

    code: str
    message: str
    file: str | None = None
    line: int | None = None
    column: int | None = None
    stack: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Module:
    """One file for the engine, as `kind` says.

    "code": `text` is one function of (module, exports, require), and the engine names its places by `file`.
    "json": the text as it is. "alias": the name of another module, which it is too.
    """

    kind: str
    text: str
    file: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Boot:
    """How a run is started. `script` names the content of `files`, which a worker is told once; both as the
    sandbox wants them, and so is `text`, the message of this one run."""

    script: bytes
    files: bytes
    text: bytes


class Script(Protocol):
    """An experience made ready for the sandbox: what the engine reads, and the way back from what it says."""

    @property
    def experience(self) -> Experience: ...

    @property
    def modules(self) -> Mapping[str, Module]:
        """Each file under the name it is required by."""
        ...

    @property
    def global_text(self) -> str:
        """The text of global.js, a script; "" when there is none."""
        ...

    @property
    def warnings(self) -> Sequence[str]: ...

    def for_visitor(self, visitor: str | None, *, kept: str | None = None) -> "Script":
        """The variation that `traffic` chooses, see `Traffic.of`; itself where it chooses none."""
        ...

    def problem(self, code: str, message: str, stack: str, role: str = "") -> Problem:
        """A thrown value in the author's terms; `role` is the part that was running."""
        ...

    def in_own_places(self, text: str) -> str:
        """A text in which the places the engine named are the author's own."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What one run may use. Source: reference/limits#a-run."""

    cpu_turn_seconds: float = 0.25
    cpu_run_seconds: float = 1.0
    wall_seconds: float = 10.0
    memory_bytes: int = 32 * 1024 * 1024
    pending_calls: int = 1000
    log_bytes: int = 1024 * 1024
    events: int = 1000
    redirects: int = 100
    event_bytes: int = 1024 * 1024  # events and redirects together
    calls: int = 10_000
    call_bytes: int = 32 * 1024 * 1024
    turn_call_bytes: int = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class LogLine:
    """One line of the guest's log; `metadata` is any JSON value."""

    at: datetime
    level: str
    logger: str
    message: str
    metadata: Any = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Emitted:
    """An event of `uv.emit`."""

    type: str
    data: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Redirected:
    """A URL that `redirectTo` would have sent the visitor to."""

    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Marshalled:
    """One argument of a call: its JSON text; or where (`path`) and what JSON cannot carry; or left out.

    `lost` are the first few paths, each with what stands there, of what is in the text as an empty object: a
    Promise, a Map or a Set. There are `lost_count` of them.
    """

    text: str | None = None
    path: str | None = None
    what: str = ""
    lost: tuple[tuple[str, str], ...] = ()
    lost_count: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One call of an integration; `id` is what its answer goes back under, `stack` where it was made."""

    id: int
    verb: str
    integration: str
    payload: Marshalled
    options: Marshalled
    defaults: Marshalled
    stack: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Thrown:
    """What the author's code threw. `role` is the part that was running; `load` before any ran."""

    role: str
    code: str
    text: str
    stack: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """What one turn of a guest came to. `limit` names the limit that ended the run, if one did: a code, or
    one of `limit_calls_run` and `limit_calls_turn`.

    `triggers` is none, waiting, yes, no or failed; `variation` none, running, done or failed. `describing`:
    the turn was reading a thrown value when it ended. `stack` is where a limit stopped it, when that is
    known. `restarts`: a later view runs the experience again. `unhandled`: there are rejections that nobody
    has handled; an inbox item of kind "end" makes the guest tell them. `waits`: the events that triggers
    listen for, while they have not answered.
    """

    outbox: Sequence[LogLine | Emitted | Redirected | Request] = ()
    triggers: str = "none"
    variation: str = "none"
    thrown: Thrown | None = None
    limit: str | None = None
    stack: str = ""
    describing: bool = False
    listens: bool = False
    restarts: bool = False
    unhandled: bool = False
    waits: Sequence[str] = ()
    wake_at: datetime | None = None
    cpu_seconds: float = 0.0


class Guest(Protocol):
    """One run's own global scope, in a process that can be killed.

    A message is a JSON-able mapping. Raises ScriptFault when a limit ended the guest, and InternalError when
    it broke its bounds or said what cannot be read: it is gone then.
    """

    def start(self, boot: Boot, *, deadline_seconds: float) -> Turn: ...

    def step(self, message: Mapping[str, Any], *, deadline_seconds: float) -> Turn: ...

    def close(self) -> None: ...


class Sandbox(Protocol):
    """Gives out guests."""

    def open(self, limits: Limits) -> Guest: ...

    def close(self) -> None: ...
