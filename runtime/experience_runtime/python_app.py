"""`App("utils/scheduler", …)` in Python: one call on the settings of this directory. Source: contract 6."""

import os
from collections.abc import Mapping
from typing import Any

from experience_runtime.app import App
from experience_runtime.domain.clients import read_client
from experience_runtime.domain.errors import InvalidParameter
from experience_runtime.event_scheduler import answer_app, refused
from experience_runtime.settings import load_settings


def call(function_id: str, client: object, parameters: Mapping[str, object]) -> Any:
    """Open the database of the settings, and answer; `client` None is the one of the settings."""
    settings = load_settings(environ=os.environ)
    try:
        known = settings.client if client is None else read_client(client)
    except InvalidParameter as error:
        return refused(error)
    with App(settings) as app:
        return answer_app(app.scheduler, function_id, parameters, client=known)
