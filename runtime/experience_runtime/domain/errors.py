"""Refusals and failures: one tree, one stable code each.

    ExperienceError
    ├── Refusal              a request breaks a rule; nothing was stored
    │   ├── InvalidDelay · InvalidTime · InvalidWindow · InvalidKey · InvalidPayload · PayloadTooLarge
    │   ├── DelayAndTime · NoDelayOrTime · BeyondLimit · InThePast · TooSoon
    │   ├── AlreadyScheduled · RateLimited · MissingParameter · InvalidParameter
    │   ├── NotLinked · UnknownIntegration · UnknownVisitor · UnknownExecution · UnknownSchedule · UnknownRun
    │   ├── UnknownRelease · NotReleasable
    │   ├── UnsupportedChannel · NotConfigured · BlockedAddress
    │   └── Unauthorized · Forbidden · Conflict
    ├── CallFailed           an integration was called and did not succeed
    │   └── IntegrationTimeout
    ├── ScriptFault          the author's files are at fault, or ran into a limit
    │   ├── ScriptSyntaxError · ScriptError · ScriptModuleNotFound
    │   └── LimitCpu · LimitWall · LimitMemory · LimitCalls · LimitLog · LimitEvents
    └── InternalError        a defect of ours

Every message shows the value, the rule and the fix. Source: reference/codes (the list is closed).
"""

from typing import ClassVar


class ExperienceError(Exception):
    """Anything this product says no to, under a code that never changes."""

    code: ClassVar[str] = "internal_error"

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class Refusal(ExperienceError):
    """A request that breaks a rule. Nothing was stored."""


class InvalidDelay(Refusal):
    code = "invalid_delay"


class InvalidTime(Refusal):
    code = "invalid_time"


class InvalidWindow(Refusal):
    code = "invalid_window"


class InvalidKey(Refusal):
    code = "invalid_key"


class InvalidPayload(Refusal):
    code = "invalid_payload"


class PayloadTooLarge(Refusal):
    code = "payload_too_large"


class DelayAndTime(Refusal):
    code = "delay_and_time"


class NoDelayOrTime(Refusal):
    code = "no_delay_or_time"


class BeyondLimit(Refusal):
    code = "beyond_limit"


class InThePast(Refusal):
    code = "in_the_past"


class TooSoon(Refusal):
    code = "too_soon"


class AlreadyScheduled(Refusal):
    code = "already_scheduled"


class RateLimited(Refusal):
    code = "rate_limited"


class MissingParameter(Refusal):
    code = "missing_parameter"


class InvalidParameter(Refusal):
    code = "invalid_parameter"


class NotLinked(Refusal):
    code = "not_linked"


class UnknownIntegration(Refusal):
    code = "unknown_integration"


class UnknownVisitor(Refusal):
    code = "unknown_visitor"


class UnknownExecution(Refusal):
    code = "unknown_execution"


class UnknownSchedule(Refusal):
    code = "unknown_schedule"


class UnknownRun(Refusal):
    code = "unknown_run"


class UnknownRelease(Refusal):
    code = "unknown_release"


class NotReleasable(Refusal):
    """The files of an experience did not pass the check or one of their stories."""

    code = "not_releasable"


class UnsupportedChannel(Refusal):
    code = "unsupported_channel"


class NotConfigured(Refusal):
    code = "not_configured"


class IntegrationBroken(NotConfigured):
    """The integration's own code cannot be loaded: a kind of not being configured."""


class BlockedAddress(Refusal):
    code = "blocked_address"


class Unauthorized(Refusal):
    code = "unauthorized"


class Forbidden(Refusal):
    code = "forbidden"


class Conflict(Refusal):
    code = "conflict"


class CallFailed(ExperienceError):
    """An integration was called and did not succeed."""

    code = "integration_failed"


class IntegrationTimeout(CallFailed):
    code = "integration_timeout"


class ScriptFault(ExperienceError):
    """The author's files are at fault, or ran into a limit; where it stands, as far as it is known."""

    code = "script_error"

    def __init__(
        self, message: str, *, file: str | None = None, line: int | None = None, column: int | None = None
    ) -> None:
        super().__init__(message)
        self.file = file
        self.line = line
        self.column = column


class ScriptSyntaxError(ScriptFault):
    code = "syntax_error"


class ScriptError(ScriptFault):
    code = "script_error"


class ScriptModuleNotFound(ScriptFault):
    code = "module_not_found"


class LimitCpu(ScriptFault):
    code = "limit_cpu"


class LimitWall(ScriptFault):
    code = "limit_wall"


class LimitMemory(ScriptFault):
    code = "limit_memory"


class LimitCalls(ScriptFault):
    code = "limit_calls"


class LimitLog(ScriptFault):
    code = "limit_log"


class LimitEvents(ScriptFault):
    code = "limit_events"


class InternalError(ExperienceError):
    """A defect of ours."""

    code = "internal_error"


class DatabaseUnavailable(InternalError):
    """The database cannot be written to, or reached, at this moment. Nothing of the operation was stored."""

    code = "database_unavailable"


class DatabaseRefused(DatabaseUnavailable):
    """The database server does not let this user in, or has no such database. Waiting does not help."""

    code = "database_refused"


def error_of(code: str, message: str) -> ExperienceError:
    """What another process told under this code; InternalError for one that is not known."""
    kinds = [ExperienceError]
    for kind in kinds:
        if kind.code == code and kind not in (ExperienceError, Refusal):
            return kind(message)
        kinds += kind.__subclasses__()
    return InternalError(f"{code}: {message}")
