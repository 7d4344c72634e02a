"""Showing: what people may see of a payload, as its integration says."""

import json
from typing import Any

from experience_runtime.integration import Integration
from experience_runtime.untrusted import foreign

NOT_SHOWN = "[not shown: the integration could not say what may be]"
HIDDEN = json.dumps(NOT_SHOWN)


def shown_payload(integration: Integration[Any, Any], payload: str) -> str:
    """The JSON text of a payload as people may see it. What fails to say so shows nothing."""
    if type(integration).shown is Integration.shown:
        return payload
    with foreign():
        return json.dumps(integration.shown(json.loads(payload)), ensure_ascii=False, allow_nan=False)
    return HIDDEN
