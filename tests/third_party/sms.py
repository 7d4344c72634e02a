"""An integration of somebody else: one file, found by `--integrations DIR`."""

from typing import Any

from experience_runtime.integration import Context, Integration
from pydantic import BaseModel


class Settings(BaseModel):
    url: str


class Sms(Integration[Settings, dict[str, Any]]):
    name = "sms"
    settings = Settings

    def call(self, payload: dict[str, Any], context: Context[Settings]) -> Any:
        return context.http.post(context.settings.url, json=payload).require_success().json()
