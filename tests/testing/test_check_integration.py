"""check_integration: passes what is right, and names what is wrong with each deliberately bad integration."""

import contextlib
import http.client
import logging
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from experience_integrations.broadcast import Broadcast
from experience_integrations.slack_update import SlackUpdate
from experience_integrations.webhook import Webhook
from experience_runtime.integration import Context, Integration, IntegrationFailed, SecretUrl
from experience_runtime.testing import check_integration
from pydantic import BaseModel, SecretStr, model_validator

THIRD_PARTY = Path(__file__).parents[1] / "third_party" / "sms.py"
SIGNING = "whsec_" + "A" * 32


def keys(url: str) -> Mapping[str, object]:
    return {"url": f"{url}/broadcasts", "api_key": "KEY-7", "api_secret": "SECRET-7"}


# What is right


def test_slack_update_keeps_the_rules() -> None:
    check_integration(
        SlackUpdate,
        settings=lambda url: {"url": url},
        payloads=["Hello!", {"message": "Hello!"}, {"blocks": [{"type": "divider"}]}],
        refused=["", {}, {"message": 5}],
    )


@pytest.mark.parametrize("answer", ["", "ok", {"taken": True}])
def test_webhook_keeps_the_rules(answer: object) -> None:
    check_integration(
        Webhook,
        settings=lambda url: {"url": f"{url}?k=s3cret", "headers": {"x": "t0ken"}, "secret": SIGNING},
        payloads=[None, 5, {"ä": [1.5, "text"]}],
        answer=answer,
    )


def test_broadcast_keeps_the_rules() -> None:
    check_integration(
        Broadcast,
        settings=keys,
        payloads=[{"flow_id": "f", "user_id": "u"}, {"flow_id": "f", "client": {"user_id": "u"}}],
        refused=[{"user_id": "u"}, {"flow_id": "f", "user_id": "u", "channel": "whatsapp"}],
        answer={"request_id": "r"},
    )


def test_a_file_can_be_held_against_the_rules_and_a_fixed_address_is_led_to_the_other_side() -> None:
    with pytest.warns(UserWarning, match=r"settings\.url of sms is plain text") as warned:
        check_integration(
            THIRD_PARTY,
            settings={"url": "https://sms.example.com/send?key=1"},
            payloads=[{"to": "+1"}],
            answer={"accepted": True},
            sends_execution_id=False,
        )

    assert warned[0].filename == __file__


class Quiet(Integration[None, Any]):
    name = "quiet"

    def call(self, payload: Any, context: Context[None]) -> Any:  # noqa: ARG002 the SDK's names
        return None


def test_what_is_not_reached_by_http_can_be_checked() -> None:
    check_integration(Quiet, payloads=[1], uses_http=False)


# What is wrong


class Settings(BaseModel):
    url: SecretUrl
    token: SecretStr = SecretStr("t0p-SECRET")


class Right(Integration[Settings, Any]):
    """The others are this one with one thing done wrong."""

    name = "right"
    settings = Settings

    def call(self, payload: Any, context: Context[Settings]) -> Any:
        return self.send(payload, context)

    def send(self, payload: Any, context: Context[Settings]) -> Any:
        headers = {"webhook-id": context.execution_id}
        url = context.settings.url.get_secret_value()
        return context.http.post(url, json=payload, headers=headers).require_success().json()


class Forgiving(Right):
    def call(self, payload: Any, context: Context[Settings]) -> Any:
        url = context.settings.url.get_secret_value()
        return context.http.post(url, json=payload, headers={"webhook-id": context.execution_id}).status


class Swallowing(Right):
    def call(self, payload: Any, context: Context[Settings]) -> Any:
        try:
            return self.send(payload, context)
        except IntegrationFailed:
            return None


class Stubborn(Right):
    def call(self, payload: Any, context: Context[Settings]) -> Any:
        try:
            return self.send(payload, context)
        except IntegrationFailed as failure:
            raise IntegrationFailed("no luck", may_pass=True, retry_after=failure.retry_after) from None


class Resigned(Right):
    def call(self, payload: Any, context: Context[Settings]) -> Any:
        try:
            return self.send(payload, context)
        except IntegrationFailed:
            raise IntegrationFailed("no luck", may_pass=False) from None


class Hasty(Right):
    def call(self, payload: Any, context: Context[Settings]) -> Any:
        try:
            return self.send(payload, context)
        except IntegrationFailed as failure:
            raise IntegrationFailed("no luck", may_pass=failure.may_pass) from None


class Raising(Right):
    def call(self, payload: Any, context: Context[Settings]) -> Any:
        try:
            return self.send(payload, context)
        except IntegrationFailed:
            raise ValueError("no luck") from None


class Anonymous(Right):
    def call(self, payload: Any, context: Context[Settings]) -> Any:
        return (
            context.http.post(context.settings.url.get_secret_value(), json=payload).require_success().json()
        )


class Aloof(Right):
    def call(self, payload: Any, context: Context[Settings]) -> Any:  # noqa: ARG002 the SDK's names
        return None


class GoingPast(Right):
    def call(self, payload: Any, context: Context[Settings]) -> Any:  # noqa: ARG002 the SDK's names
        url = urlsplit(context.settings.url.get_secret_value())
        connection = http.client.HTTPConnection(url.netloc, timeout=2)
        with contextlib.closing(connection):
            connection.request("POST", url.path, headers={"webhook-id": context.execution_id})
            return connection.getresponse().status


class Strange(Right):
    def call(self, payload: Any, context: Context[Settings]) -> Any:
        self.send(payload, context)
        return {"a set": {1, 2}}


class Printing(Right):
    def call(self, payload: Any, context: Context[Settings]) -> Any:
        print("calling with", context.settings.token.get_secret_value())
        return self.send(payload, context)


class Logging(Right):
    def call(self, payload: Any, context: Context[Settings]) -> Any:
        context.logger.debug("calling %s", context.settings.url.get_secret_value())
        return self.send(payload, context)


class Telling(Right):
    def call(self, payload: Any, context: Context[Settings]) -> Any:
        self.send(payload, context)
        return {"sent_with": context.settings.token.get_secret_value()}


class Blaming(Right):
    def call(self, payload: Any, context: Context[Settings]) -> Any:
        url = context.settings.url.get_secret_value()
        answer = context.http.post(url, json=payload, headers={"webhook-id": context.execution_id})
        if answer.status != 200:
            raise answer.failure(f"{url} said {answer.status}")
        return None


class Mixing(Right):
    def call(self, payload: Any, context: Context[Settings]) -> Any:
        self.context = context
        self.send(payload, context)
        return self.send(payload, self.context)


class Racing(Right):
    def __init__(self) -> None:
        self.open: set[str] = set()

    def call(self, payload: Any, context: Context[Settings]) -> Any:
        self.open.add(context.execution_id)
        answer = self.send(payload, context)
        if len(self.open) > 1:
            raise RuntimeError("two at once")
        self.open.discard(context.execution_id)
        return answer


class Lax(Right):
    class settings(BaseModel):
        url: SecretUrl

        @model_validator(mode="before")
        @classmethod
        def fill(cls, table: Any) -> Any:
            return {"url": "https://example.com/", **table}


class Fussy(Right):
    class payload(BaseModel):
        to: str


class Crashing(Right):
    def check(self, payload: Any, settings: Settings | None) -> None:  # noqa: ARG002 the SDK's names
        if payload == "refuse me":
            raise KeyError(payload)


class Misnamed(Right):
    name = "not a name"


class Nameless(Integration[Settings, Any]):
    def call(self, payload: Any, context: Context[Settings]) -> Any:  # noqa: ARG002 the SDK's names
        return None


class Callless(Integration[Settings, Any]):
    name = "callless"


@pytest.mark.parametrize(
    ("kind", "says"),
    [
        (Forgiving, ["an answer of 400 counts as success", "an answer of 503 with Retry-After: 7 counts"]),
        (Swallowing, ["a connection that is closed counts", "an answer that never comes counts"]),
        (Stubborn, ["an answer of 400 will not pass by itself; raise IntegrationFailed(…, may_pass=False)"]),
        (Resigned, ["429 with Retry-After: 7 may pass", "503", "closed may pass", "never comes may pass"]),
        (Hasty, ["an answer of 429 with Retry-After: 7: the wait is lost"]),
        (Raising, ["an answer of 400 makes it raise ValueError: no luck", "never comes makes it raise"]),
        (Anonymous, ["the execution id does not reach the receiver"]),
        (Aloof, ["no request reached the receiver"]),
        (GoingPast, ["past context.http"]),
        (Strange, ["which is not JSON"]),
        (Printing, ["the secret settings.token stands in what it prints"]),
        (Logging, ["the secret settings.url stands in its log"]),
        (Telling, ["the secret settings.token stands in its answer"]),
        (Blaming, ["the secret settings.url stands in an error of it"]),
        (Mixing, ["calls from several threads mix their execution ids"]),
        (Racing, ["called from several threads it raises RuntimeError: two at once"]),
        (Lax, ["an empty table passes as settings, although url is required"]),
        (Fussy, ['the payload "hi" is refused']),
        (Crashing, ['the payload "refuse me" makes it fail']),
        (Right, ['the payload "refuse me" is taken, and should be refused']),
        (Misnamed, ["'not a name' cannot be an integration's name"]),
        (Nameless, ["None cannot be an integration's name"]),
        (Callless, ["has no method call(self, payload, context)"]),
    ],
)
def test_what_is_wrong_is_named(kind: type[Integration[Any, Any]], says: list[str]) -> None:
    refused = ["refuse me"] if kind in (Crashing, Right) else []

    with pytest.raises(AssertionError) as caught:
        check_integration(
            kind,
            settings=lambda url: {"url": url},
            payloads=["hi", "ho"],
            refused=refused,
            answer={"is": "ok"},
        )

    for part in says:
        assert part in str(caught.value)
    assert str(caught.value).startswith(f"{kind.__name__} is to be mended:\n  - ")


@pytest.mark.parametrize("what", ["sms.py", Right(), None])
def test_what_is_neither_a_class_nor_a_path_is_named(what: Any) -> None:
    with pytest.raises(AssertionError, match="is no class of an integration and no Path of its file"):
        check_integration(what, payloads=[1])


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ({"payloads": []}, "payloads is empty"),
        ({"payloads": [{1, 2}]}, "payload"),
        ({"payloads": [(1, 2)]}, "is another after a round trip through JSON"),
        ({"settings": {}}, "url is missing"),
        ({"settings": {"url": "ftp://x/"}}, "url is wrong"),
        ({"settings": lambda url: {"url": url, "port": 1}}, '"port" is not a setting'),
    ],
)
def test_a_check_that_cannot_be_made_says_why(more: dict[str, Any], says: str) -> None:
    arguments: dict[str, Any] = {"settings": lambda url: {"url": url}, "payloads": ["hi"], **more}

    with pytest.raises(AssertionError) as caught:
        check_integration(Right, **arguments)

    assert says in str(caught.value)


def test_settings_without_a_model_are_a_mistake() -> None:
    with pytest.raises(AssertionError, match="names no model"):
        check_integration(Quiet, settings={"url": "x"}, payloads=[1], uses_http=False)


def test_a_file_that_does_not_load_is_named(tmp_path: Path) -> None:
    (tmp_path / "broken.py").write_text("import no_such_module\n")

    with pytest.raises(AssertionError, match="py:1: ModuleNotFoundError"):
        check_integration(tmp_path / "broken.py", payloads=[1])


def test_nothing_is_left_behind() -> None:
    root = logging.getLogger()
    before = (root.level, list(root.handlers), sys.stdout, sys.stderr)

    check_integration(Quiet, payloads=[1], uses_http=False)

    assert (root.level, list(root.handlers), sys.stdout, sys.stderr) == before
