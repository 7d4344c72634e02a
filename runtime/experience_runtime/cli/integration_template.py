"""The files that `integrations new` writes: an integration that works, and its test."""

import keyword

_INTEGRATION = '''\
"""@NAME@: sends a message to an HTTP service."""

from typing import Any

from experience_runtime.integration import Context, Integration, SecretUrl
from pydantic import BaseModel


class Settings(BaseModel):
    """What an operator sets under [integrations.@NAME@]."""

    url: SecretUrl


class Message(BaseModel):
    """What an experience sends; anything else is refused when it is scheduled."""

    to: str
    text: str


class @CLASS@(Integration[Settings, Message]):
    name = "@NAME@"
    settings = Settings
    payload = Message

    def call(self, payload: Message, context: Context[Settings]) -> Any:
        answer = context.http.post(
            context.settings.url.get_secret_value(),
            json={"to": payload.to, "text": payload.text},
            # the same for every attempt: the service can tell a repeated call by it
            headers={"webhook-id": context.execution_id},
        )
        return answer.require_success().json()
'''

_TEST = '''\
"""@NAME@ keeps the rules of the runtime."""

from pathlib import Path

from experience_runtime.testing import check_integration

FILE = Path(__file__).parents[1] / "@MODULE@.py"


def test_@MODULE@_keeps_the_rules() -> None:
    check_integration(
        FILE,
        settings=lambda url: {"url": url},
        payloads=[{"to": "+15550100", "text": "Hello"}],
        refused=[{}, {"to": "+15550100"}, "Hello"],
        answer={"accepted": True},
    )
'''

_TAKEN = frozenset({"Any", "BaseModel", "Context", "Integration", "Message", "SecretUrl", "Settings"})


def module_of(name: str) -> str:
    """The module's name: `send-sms` -> `send_sms`."""
    return name.replace("-", "_")


def integration_text(name: str) -> str:
    """The integration's own file."""
    return _filled(_INTEGRATION, name)


def own_test_text(name: str) -> str:
    """Its test, which stands in the folder `tests` beside it."""
    return _filled(_TEST, name)


def _filled(template: str, name: str) -> str:
    filled = template.replace("@NAME@", name).replace("@CLASS@", _class_of(name))
    return filled.replace("@MODULE@", module_of(name))


def _class_of(name: str) -> str:
    """`send-sms` -> `SendSms`; a name of Python's or of the file's own gets something behind it."""
    joined = "".join(part.capitalize() for part in name.split("-"))
    return f"{joined}Integration" if keyword.iskeyword(joined) or joined in _TAKEN else joined
