"""An example of each body that the API takes, by the name of its schema; a test holds that they are taken."""

from collections.abc import Mapping
from typing import Any

_WINDOW = {"day": "monday-friday", "time": "09:00-17:00"}
_PAYLOAD = {"message": "A basket is waiting"}
_FILES = {"variation.js": "module.exports = function variation (options) {}"}
_ASKED = {"options": {"key": "basket 17"}, "visitor": "v1", "timezone": "Europe/Paris"}

BODIES: Mapping[str, Any] = {
    "AskedWithPayload": _ASKED
    | {"payload": _PAYLOAD, "options": {"key": "basket 17", "delay": "2 hours", "window": _WINDOW}},
    "AskedBody": _ASKED,
    "CallBody": {"payload": _PAYLOAD, "timeout_ms": 5000},
    "PauseBody": {"reason": "the receiver moves"},
    "HoldBody": {"reason": "the receiver is down"},
    "CancelBody": {"reason": "the offer ended"},
    "ReplayBody": {"reason": "the receiver is back"},
    "RestoreBody": {"reason": "cancelled by mistake"},
    "BulkBody": {"filter": {"integration": "slack-update", "status": ["pending"]}, "dry_run": True},
    "BulkMoveBody": {"filter": {"integration": "slack-update"}, "delay": "1 day", "reason": "a holiday"},
    "SettingsBody": {"settings": {"url": "https://hooks.slack.com/services/T0/B0/x"}, "expected_version": 0},
    "ScheduleBody": {
        "integration": "slack-update",
        "weekly": "monday-friday 09:00",
        "timezone": "Europe/Paris",
        "payload": {"message": "Good morning"},
        "dry_run": True,
    },
    "When": {"weekly": "monday-friday 09:00", "timezone": "Europe/Paris"},
    "RunBody": {"visitor": "v1", "timezone": "Europe/Paris"},
    "Source": {"files": _FILES},
    "SimulateBody": {"files": _FILES, "visitor": "v1", "for": "2 days"},
    "ExplainBody": {"delay": "2 hours", "window": _WINDOW, "timezone": "Europe/Paris"},
    "ZoneBody": {"timezone": "Europe/Paris"},
    "EventBody": {"type": "ecView", "data": {"page": "basket"}},
    "ConvertBody": {"event": "ecBasketTransactionSummary"},
    "IdentifyBody": {"person": "customer-5512"},
    "ReleaseBody": {"files": _FILES, "note": "the first"},
    "ActivateBody": {"expected": 1},
    "ChangeBody": {"expected": 1},
}
