"""Testing: the rules every integration keeps, as one call in its author's own tests."""

import contextlib
import ipaddress
import json
import re
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from experience_runtime.clocks import SystemClock
from experience_runtime.domain.errors import ExperienceError, InvalidParameter, Refusal
from experience_runtime.domain.payloads import check_payload
from experience_runtime.integration import Integration
from experience_runtime.plugins.finding import load_file
from experience_runtime.plugins.http import Outbound
from experience_runtime.plugins.registry import Registry
from experience_runtime.settings.load import Settings
from experience_runtime.testing.other_side import OtherSide, Reply
from experience_runtime.testing.trials import Trial, shown_json
from experience_runtime.untrusted import foreign

__all__ = ["check_integration"]

_DEADLINE_SECONDS = 5.0
_LOOPBACK = (ipaddress.ip_network("127.0.0.1/32"),)
_SECRETS_NAME = re.compile(r"url|token|key|secret|password", re.IGNORECASE)


def check_integration(
    integration: type[Integration[Any, Any]] | Path,
    *,
    payloads: Sequence[object],
    refused: Sequence[object] = (),
    settings: Mapping[str, object] | Callable[[str], Mapping[str, object]] | None = None,
    answer: object = "ok",
    uses_http: bool = True,
    sends_execution_id: bool = True,
) -> None:
    """Hold an integration (its class, or its file) against the rules; AssertionError lists what it breaks.

    A real HTTP server on this machine plays the other side. `settings` is the integration's table, or a
    function that makes it from the other side's address; calls to any other address are led there too.
    `answer` is what the other side says when all is well: a text, or a value sent as JSON. `payloads` must
    be taken and `refused` refused. `uses_http` and `sends_execution_id` set to false leave those rules out:
    for what is not reached by HTTP, and for another side that cannot tell a repeated call anyway.
    """
    with contextlib.closing(OtherSide()) as other_side:
        outbound = Outbound(
            now=SystemClock().now, allow_private=_LOOPBACK, deadline_seconds=_DEADLINE_SECONDS
        )
        try:
            kind = load_file(integration) if isinstance(integration, Path) else integration
            if not isinstance(kind, type):
                raise InvalidParameter(
                    f"{shown_json(kind)} is no class of an integration and no Path of its file"
                )
            table = settings(other_side.url) if callable(settings) else settings or {}
            name = str(getattr(kind, "name", ""))
            registry = Registry(Settings(integrations={name: table}), only=kind)
            registry.get(name)
            if not payloads:
                raise InvalidParameter("payloads is empty; name at least one that the integration takes")
            trial = Trial(
                name=name,
                registry=registry,
                other_side=other_side,
                outbound=outbound,
                payloads=[check_payload(payload) for payload in payloads],
                uses_http=uses_http,
                sends_execution_id=sends_execution_id,
            )
            problems = [*_settings_problems(registry, name, table)]
            problems = problems or [*_payload_problems(registry, name, payloads)]
            problems = problems or [*trial.problems(_reply(answer))]
            problems += _refused_problems(registry, name, refused)
        except ExperienceError as error:
            problems = [error.message]
        finally:
            outbound.close()
    if problems:
        listed = "".join(f"\n  - {problem}" for problem in problems)
        raise AssertionError(f"{getattr(integration, '__name__', integration)} is to be mended:{listed}")


def _settings_problems(registry: Registry, name: str, table: Mapping[str, object]) -> Iterator[str]:
    model = registry.get(name).settings
    if model is None:
        if table:
            yield f"settings are given ({', '.join(table)}) but the class names no model of them"
        return
    required = [field for field, about in model.model_fields.items() if about.is_required()]
    if required and _is_taken(model, {}):
        yield f"an empty table passes as settings, although {required[0]} is required"
    settings = registry.settings(name)
    for field_name, value in settings:
        if isinstance(value, str) and _SECRETS_NAME.search(field_name):
            warnings.warn(
                f"settings.{field_name} of {name} is plain text, which shows wherever settings are printed; "
                "make it SecretStr or SecretUrl",
                stacklevel=3,
            )


def _is_taken(model: type[BaseModel], table: Mapping[str, object]) -> bool:
    with foreign() as raised:
        model.model_validate(table)
    return raised.error is None


def _payload_problems(registry: Registry, name: str, payloads: Sequence[object]) -> Iterator[str]:
    for payload in payloads:
        try:
            stored = json.loads(check_payload(payload))
            registry.parse_payload(name, stored)
        except Refusal as refusal:
            yield f"the payload {shown_json(payload)} is refused: {refusal.message}"
        else:
            if stored != payload:
                yield f"the payload {shown_json(payload)} is another after a round trip through JSON"


def _refused_problems(registry: Registry, name: str, refused: Sequence[object]) -> Iterator[str]:
    for payload in refused:
        try:
            registry.parse_payload(name, json.loads(check_payload(payload)))
        except Refusal as refusal:
            if refusal.message.endswith("repair the integration"):
                yield f"the payload {shown_json(payload)} makes it fail: {refusal.message}"
        else:
            yield f"the payload {shown_json(payload)} is taken, and should be refused when it is scheduled"


def _reply(answer: object) -> Reply:
    if isinstance(answer, str):
        return Reply(body=answer.encode(), headers={"content-type": "text/plain"})
    return Reply(body=json.dumps(answer).encode(), headers={"content-type": "application/json"})
