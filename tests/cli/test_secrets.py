"""A real run with a secret in every place: none of them is printed, logged or kept."""

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from .conftest import CommandLine, write

SIGNING = "whsec_" + base64.b64encode(b"S1gn1ng-S3cret-0123456789").decode()
SECRETS = {
    "url path": "P4thS3cretOfTheWebhook",
    "url query": "Qu3ryS3cret",
    "header": "H34derS3cret",
    "signing": SIGNING,
    "signing, bare": SIGNING.removeprefix("whsec_"),
    "with a quote": 'Qu0te"S3cret\\x',
    "api key": "K3yS3cret",
    "api secret": "ApiS3cret",
    "third party": "Th1rdS3cret",
}
PAYLOAD_QUERY = "P4yl0adQuery"

LEAKY = """
from experience_runtime.integration import Integration
from pydantic import BaseModel, SecretStr


class Settings(BaseModel):
    url: str
    token: SecretStr


class Leaky(Integration):
    name = "leaky"
    settings = Settings
    retries = 0

    def call(self, payload, context):
        token = context.settings.token.get_secret_value()
        context.logger.warning("calling %s with %s", context.settings.url, token)
        if payload == "chained":
            try:
                raise KeyError(token)
            except KeyError as cause:
                raise ValueError(f"no luck with {token!r} at {context.settings.url}") from cause
        return {"sent to": context.settings.url, "with": {token: [token]}}
"""


def echo(request: Request) -> Response:
    """A receiver that tells everything it was told, in text, in JSON and as an escaped address."""
    told = {"path": request.full_path, "headers": dict(request.headers), "url": request.url}
    text = f"{request.full_path} {json.dumps(told)} {json.dumps(told).replace('/', chr(92) + '/')}"
    return Response(text, status=int(request.path.rpartition("/")[2]))


@pytest.fixture
def environ(httpserver: HTTPServer) -> dict[str, str]:
    httpserver.expect_request(f"/hooks/{SECRETS['url path']}/200").respond_with_handler(echo)
    httpserver.expect_request(f"/hooks/{SECRETS['url path']}/400").respond_with_handler(echo)
    hook = httpserver.url_for(f"/hooks/{SECRETS['url path']}")
    write(Path("mine/leaky.py"), LEAKY)
    write(
        Path("experience.toml"),
        """
        integrations_dir = "mine"
        [integrations.webhook]
        url = "env:HOOK"
        secret = "env:SIGNING"
        headers = { authorization = "env:HEADER", x-quoted = "env:QUOTED" }
        [integrations.broadcast]
        url = "env:BOTS"
        api_key = "env:KEY"
        api_secret = "env:API_SECRET"
        [integrations.leaky]
        url = "env:HOOK"
        token = "env:TOKEN"
        [outbound]
        allow_private = ["127.0.0.1/32", "::1/128"]
        """,
    )
    return {
        "HOOK": f"{hook}/200?token={SECRETS['url query']}",
        "BOTS": f"{hook}/400?token={SECRETS['url query']}",
        "SIGNING": SIGNING,
        "HEADER": f"Bearer {SECRETS['header']}",
        "QUOTED": SECRETS["with a quote"],
        "KEY": SECRETS["api key"],
        "API_SECRET": SECRETS["api secret"],
        "TOKEN": SECRETS["third party"],
    }


EXPERIENCE = f"""
module.exports = async function variation (options) {{
  const webhook = options.integration('webhook')
  const broadcast = options.integration('broadcast')
  const leaky = options.integration('leaky')
  const link = 'https://shop.example/cart?token={PAYLOAD_QUERY}'
  for (const call of [
    () => webhook.schedule('a', {{ delay: 0 }}),
    () => broadcast.schedule({{ flow_id: 'f', user_id: 'u' }}, {{ delay: 0 }}),
    () => leaky.schedule('chained', {{ delay: 0 }}),
    () => leaky.schedule('plain', {{ delay: 0 }}),
    () => broadcast({{ flow_id: 'f', user_id: 'u' }}),
    () => leaky('chained'),
    () => broadcast.schedule({{ flow_id: [link], user_id: 'u' }}, {{ delay: 0 }}),
    () => broadcast.schedule({{ flow_id: 'f', user_id: 'u', channel: link }}, {{ delay: 0 }})
  ]) await call().catch(error => options.log.error('caught', error))
}}
"""


def test_no_secret_is_printed_logged_or_kept(
    cli: CommandLine, httpserver: HTTPServer, environ: dict[str, str]
) -> None:
    write(Path("made/variation.js"), EXPERIENCE)

    said = [
        cli("run", "made", "--visitor", "v1", "--json", env=environ, may_trace=True),
        cli("worker", "--until-idle", env=environ, may_trace=True),
        cli("executions", "list", env=environ),
        cli("executions", "list", "--json", env=environ),
        cli("integrations", "list", "--json", env=environ),
        cli("integrations", "check", "--json", env=environ),
        cli("integrations", "call", "leaky", '"chained"', env=environ, may_trace=True),
        cli("integrations", "call", "broadcast", '{"flow_id": "f", "user_id": "u"}', env=environ),
        cli("doctor", env=environ),
    ]
    executions: list[dict[str, Any]] = said[3].document["executions"]
    for execution in executions:
        said += [cli("executions", "show", execution["id"], *more, env=environ) for more in ((), ("--json",))]

    assert {each["status"] for each in executions} == {"succeeded", "failed"}
    assert len(httpserver.log) >= 4
    printed = "".join(each.out + each.err for each in said)
    kept = b"".join(path.read_bytes() for path in Path().glob("experience.db*")).decode("utf-8", "replace")
    for where, text in (("printed", printed), ("kept", kept)):
        assert "[redacted]" in text  # the echo came in, and something was taken out of it
        for name, secret in SECRETS.items():
            for form in (secret, json.dumps(secret)[1:-1]):
                assert form not in text, f"{name} is {where}: …{text[max(0, text.find(form) - 200) :][:300]}"
        assert PAYLOAD_QUERY not in text
