"""What the API says of integrations."""

from typing import Any, Literal

from pydantic import BaseModel

from experience_runtime.web.api.openapi import Instant


class IntegrationLine(BaseModel):
    name: str
    source: str
    configured: bool
    broken: bool
    why: str | None
    held: str | None
    schedules: int


class Integrations(BaseModel):
    integrations: list[IntegrationLine]


class SettingState(BaseModel):
    """Whether a setting is there; never what it is. `known`: whether the integration has it."""

    name: str
    required: bool
    is_set: bool
    missing_variable: str | None
    missing_file: str | None
    known: bool


class PolicyDocument(BaseModel):
    """How it may be called; null is no limit of its own."""

    concurrency: int | None
    rate: dict[str, int] | None
    breaker: dict[str, int] | None


class WholeIntegration(IntegrationLine):
    site: bool
    settings: list[SettingState]
    settings_in: Literal["file", "database"]
    settings_version: int
    policy: PolicyDocument
    paused_at: Instant | None
    pause_reason: str | None
    breaker_opened_at: Instant | None
    pending: int


class Called(BaseModel):
    id: str
    ok: Literal[True]
    result: Any


class Held(BaseModel):
    integration: str
    paused_at: Instant | None
    reason: str | None
    pending: int


INTEGRATION = {
    "name": "slack-update",
    "source": "experience_integrations.slack_update:SlackUpdate",
    "configured": True,
    "broken": False,
    "why": None,
    "held": None,
    "schedules": 1,
}
