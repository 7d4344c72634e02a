"""What a story scripts and expects: the answers of receivers, and what must have happened at the end."""

import re
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StrictBool, StrictFloat, StrictInt, model_validator

from experience_runtime.domain.executions import Status
from experience_runtime.domain.windows import DAYS

_DAY = "|".join(f"{day}|{day[:3]}" for day in DAYS)
LOCAL = re.compile(rf"(?:(?P<day>{_DAY}) |(?P<date>\d{{4}}-\d\d-\d\d) )?(?P<time>\d\d:\d\d)", re.IGNORECASE)
"""A local time of `expect.local`: `09:00`, `Mon 09:00` or `2026-03-09 09:00`."""

_OTHERS = ("log", "redirect", "goal", "refused")
_WITH_OTHERS = {"visitor", "count", "none"}


class Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ScriptedAnswer(Part):
    """What an integration's other side answers, one after the other; then it succeeds.

    `key`: only calls of executions under this key have it.
    """

    status: StrictInt = Field(default=200, ge=100, le=599)
    body: Any = None
    retry_after: StrictFloat | None = None
    failure: Literal["timeout", "network"] | None = None
    key: Any = None

    @model_validator(mode="after")
    def _one_end(self) -> "ScriptedAnswer":
        if self.failure is not None and self.model_fields_set & {"status", "body", "retry_after"}:
            raise ValueError(
                f'failure "{self.failure}" has no answer; leave status, body and retry_after out'
            )
        return self


class LogLine(Part):
    """A line of the log: `text` occurs in its message."""

    level: Literal["trace", "debug", "info", "warn", "error"] | None = None
    text: str = ""


class Expectation(Part):
    """One execution that must exist at the end, or a line, a redirect, a goal or a refused call instead.

    Only the fields that are set are compared. `count`: so many of the kind, no more and no fewer.
    """

    visitor: str | None = None
    integration: str | None = None
    key: Any = None
    payload: Any = None
    status: Status | None = None
    due_at: str | None = None
    local: str | None = None
    reason: str | None = None
    replaced: StrictBool | None = None
    attempts: StrictInt | None = Field(default=None, ge=0)
    order: StrictInt | None = None
    log: LogLine | None = None
    redirect: str | None = None
    goal: str | None = None
    refused: str | None = None
    count: StrictInt | None = Field(default=None, ge=0)
    none: StrictBool | None = None

    @model_validator(mode="after")
    def _one_kind(self) -> "Expectation":
        given = self.model_fields_set
        kinds = [name for name in _OTHERS if name in given]
        if len(kinds) > 1:
            raise ValueError(f"{' and '.join(kinds)} are two things; expect each by itself")
        if kinds:
            fitting = _WITH_OTHERS | {*kinds} | ({"integration"} if kinds == ["refused"] else set())
            if wrong := sorted(given - fitting):
                raise ValueError(
                    f"{', '.join(wrong)} stands with an execution, not with {kinds[0]}; leave it out"
                )
        if self.count is not None and self.none:
            raise ValueError("count and none contradict each other; leave one of them out")
        if "order" in given and given & {"count", "none"}:
            raise ValueError("order is of one execution; leave count and none out")
        if self.local is not None and not LOCAL.fullmatch(self.local):
            raise ValueError(
                f'local "{self.local}" is none of "09:00", "Mon 09:00", "2026-03-09 09:00"; write one'
            )
        return self

    @property
    def kind(self) -> str:
        """`execution`, `log`, `redirect`, `goal` or `refused`."""
        return next((name for name in _OTHERS if name in self.model_fields_set), "execution")

    @property
    def wanted_count(self) -> int | None:
        return 0 if self.none else self.count

    def fields(self) -> dict[str, Any]:
        """What it compares."""
        return self.model_dump(exclude_unset=True, exclude={"count", "none", "order"}, mode="json")
