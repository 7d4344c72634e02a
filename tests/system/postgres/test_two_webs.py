"""Two webs on one PostgreSQL, as behind a balancer: what one was told, the other knows at once."""

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

import httpx
import pytest
from experience_runtime.domain.access import Scope, new_token
from experience_runtime.runtime import Runtime
from experience_runtime.settings.load import load_settings
from experience_runtime.web.server import make_web

from tests.support.serving import serving

from .yard import until

pytestmark = pytest.mark.postgres

QUOTA = 20


class Both(NamedTuple):
    runtime: Runtime
    here: httpx.Client
    there: httpx.Client

    def token(self, scope: Scope, name: str = "") -> dict[str, str]:
        """The headers of a new token."""
        text, made = new_token(name or scope, [scope], [], now=self.runtime.clock.now())
        self.runtime.store.tokens.put(made)
        return {"Authorization": f"Bearer {text}"}


@pytest.fixture
def both(address: str, tmp_path: Path) -> Iterator[Both]:
    config = tmp_path / "experience.toml"
    config.write_text(
        f"[serve]\npending_per_key = {QUOTA}\nper_address = 0\n"
        '[integrations.webhook]\nurl = "http://127.0.0.1:9/"\nsite = true\n'
    )
    settings = load_settings(config=config, database=address, environ={})
    with ExitStack() as opened:
        runtimes = [opened.enter_context(Runtime(settings)) for _ in range(2)]
        urls = [opened.enter_context(serving(make_web(each, is_open=True))) for each in runtimes]
        here, there = (
            opened.enter_context(
                httpx.Client(base_url=url, headers={"Origin": url}, trust_env=False, timeout=60)
            )
            for url in urls
        )
        for web in (here, there):
            # routes are made when first asked for, which two threads of one process may not do at once
            assert web.get("/nowhere").status_code == 404
        yield Both(runtimes[0], here, there)


def test_a_session_and_its_forms_are_good_at_both_until_its_token_is_revoked(both: Both) -> None:
    runtime, here, there = both
    assert [web.get("/v1/executions").status_code for web in (here, there)] == [200, 200]
    headers = both.token(Scope.OPERATOR)
    assert [web.get("/v1/executions").status_code for web in (here, there)] == [401, 401]
    text = headers["Authorization"].removeprefix("Bearer ")
    assert here.post("/login", data={"token": text}).status_code == 303
    there.cookies = here.cookies
    page = there.get("/").text
    form = re.search('name="form_token" value="([^"]+)"', page)
    assert form is not None

    held = here.post("/hold", data={"form_token": form[1], "reason": "a holiday"})

    assert held.status_code == 303
    assert there.get("/readyz").json()["held"]
    played = here.post("/playground", data={"form_token": form[1], "source": "module.exports = () => {}"})
    assert there.get(played.headers["location"]).status_code == 200
    # the server writes by itself as well, now and then
    until(lambda: here.get("/stamp").text == there.get("/stamp").text, lambda: "the stamps differ")
    runtime.store.tokens.revoke("operator", now=runtime.clock.now())
    for web in (here, there):
        assert web.get("/v1/executions", headers=headers).status_code == 401
        assert web.get("/").headers["location"] == "/login"


def test_one_key_is_one_request_and_one_quota_at_both(both: Both) -> None:
    _, here, there = both
    operator, site = both.token(Scope.OPERATOR), both.token(Scope.SITE, "shop")
    body = {"payload": {"body": 1}, "options": {"delay": "1 day"}, "visitor": "v1"}

    def once(web: httpx.Client) -> httpx.Response:
        headers = {**operator, "Idempotency-Key": "order-17"}
        return web.post("/v1/integrations/webhook/schedule", json=body, headers=headers)

    def defer(web: httpx.Client) -> bool:
        sent = {"data": {"body": 1}, "delay": "1 day"}
        ok = web.post("/integrations/defer/MTp3ZWJob29rOjE=", json=sent, headers=site).json()["ok"]
        assert isinstance(ok, bool)
        return ok

    with ThreadPoolExecutor(4) as threads:
        answers = list(threads.map(once, [here, there] * 4))
        let_in = sum(threads.map(defer, [here, there] * QUOTA))

    assert {each.status_code for each in answers} <= {200, 409}
    assert len({each.json()["id"] for each in answers if each.status_code == 200}) == 1
    assert len(here.get("/v1/executions?visitor=v1", headers=operator).json()["executions"]) == 1
    # each of the four that are under way at a time may not be counted yet by the others
    assert QUOTA <= let_in <= QUOTA + 4


def test_an_author_goes_on_at_the_other_where_the_stream_of_one_ended(both: Both) -> None:
    _, here, there = both
    author, operator = both.token(Scope.AUTHOR), both.token(Scope.OPERATOR)
    stream = "/v1/stream?seconds=0"
    (*_, last) = re.findall("^id: (.+)$", here.get(stream, headers=author).text, re.MULTILINE)
    body = {"payload": {"body": 1}, "options": {"delay": "1 day"}, "visitor": "v1"}
    hidden = here.post("/v1/integrations/webhook/schedule", json=body, headers=operator).json()["id"]
    code = "module.exports = o => o.integration('webhook').schedule({ body: 2 }, { delay: '1 day' })"
    files = {"variation.js": code}
    here.post("/v1/experiences/shop/releases", json={"files": files}, headers=operator)
    ran = there.post("/v1/experiences/shop/run", json={"visitor": "v2"}, headers=author).json()

    told = there.get(stream, headers={**author, "Last-Event-ID": last}).text

    assert ran["executions"][0]["id"] in told
    assert hidden not in told
