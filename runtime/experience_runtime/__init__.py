"""Experience Runtime: run experience files safely and deliver what they schedule."""

from collections.abc import Mapping
from typing import Any

__version__ = "0.1.0"


def App(function_id: str, *, client: Mapping[str, str] | None = None, **parameters: object) -> Any:
    """Schedule, or cancel, an event, on the database of the settings.

    >>> App("utils/scheduler", action="webhook", delay="5 min", url="https://example.com/") # doctest: +SKIP
    {'success': True, 'result': {'action': 'webhook', 'schedule_id': …, 'scheduled_at': …, …}}

    `client` is an object of bot_id, channel_id and user_id; left out, it is `[csml] client` of the settings.
    A refusal is an answer: `{"success": False, "error": {"code", "message"}}`.
    Source: reference/scheduled-events#the-answer.
    """
    from experience_runtime.runtime.app_calls import (
        call_app,  # here, so that importing the package stays cheap
    )

    return call_app(function_id, client, parameters)
