"""`App(…)` of a program: answered by the database of the settings."""

import os
from collections.abc import Mapping
from typing import Any

from experience_runtime.domain.clients import read_client
from experience_runtime.domain.errors import InvalidParameter
from experience_runtime.engine.app_events import answer_app, refused
from experience_runtime.runtime import Runtime
from experience_runtime.settings.load import load_settings


def call_app(function_id: str, client: object, parameters: Mapping[str, object]) -> Any:
    """Open the database of the settings, and answer; `client` None is the one of the settings."""
    settings = load_settings(environ=os.environ)
    try:
        known = settings.client if client is None else read_client(client)
    except InvalidParameter as error:
        return refused(error)
    with Runtime(settings) as runtime:
        return answer_app(runtime.scheduler, function_id, parameters, client=known)
