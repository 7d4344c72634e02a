"""Answering: an `execute` that a request began -> what its integration answered."""

import json
from typing import Any

from experience_runtime.documents.documents import redacted_value
from experience_runtime.running.guest import Limits
from experience_runtime.running.guest_calls import Started
from experience_runtime.runtime import Runtime

MOST_SECONDS = Limits().wall_seconds
"""How long a caller may have an integration take: as long as a run."""


def answer_of(runtime: Runtime, started: Started) -> Any:
    """Call it and wait; its answer without secrets. Raises what `Dispatcher.call_now` raises."""
    answer = runtime.dispatcher.call_now(started.execution, min(started.timeout_seconds, MOST_SECONDS))
    return redacted_value(json.dumps(answer), runtime.settings.without_secrets)
