"""One read, three faces: the command line, the API and the pages say the same of the same thing."""

import base64
import html
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from click.testing import CliRunner
from experience_runtime.cli import main
from experience_runtime.runtime import Runtime
from experience_runtime.settings.load import load_settings
from experience_runtime.web.pages.playground.form import Play
from experience_runtime.web.pages.wording import day_and_time
from experience_runtime.web.pages.wording import on_page as on_page_said

from .conftest import write

SECRET = "S3cretOfTheWebhook"
HOOK = f"http://127.0.0.1:9/hooks/{SECRET}?token=Qu3ryS3cret"
CONFIG = f"""
[serve]
drafts = "drafts"
per_second = 0

[csml.client]
bot_id = "bot"
channel_id = "fax"

[integrations.webhook]
url = "{HOOK}"
site = true

[integrations.broadcast]
url = "http://127.0.0.1:9/"
api_key = "a-key-of-ours"
api_secret = "a-secret-of-ours"
channels = ["messenger"]

[delivery.webhook]
concurrency = 3
per_second = 10
"""
BROADCAST = """
module.exports = function variation (options) {
  return App('utils/scheduler', { action: 'broadcast', flow_id: 'hello', delay: '2 hours' })
    .then(answer => options.log.info(answer.success ? 'taken' : answer.error.code))
}
"""
REMINDER = """
module.exports = function variation (options) {
  return options.integration('webhook').schedule({ body: { remind: 'the payload' } }, {
    key: { reminder: 'basket' }, delay: '2 hours', cancelOnConversion: true,
    window: { day: 'monday-friday', time: '09:00-17:00' }
  })
}
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "experience.toml", CONFIG)
    write(tmp_path / "drafts/broadcast/variation.js", BROADCAST)
    write(tmp_path / "drafts/reminder/variation.js", REMINDER)
    return tmp_path


@pytest.fixture
def runtime(folder: Path) -> Iterator[Runtime]:
    with Runtime(load_settings(config=folder / "experience.toml", environ={})) as made:
        yield made.for_serving()


def cli(*words: str) -> str:
    result = CliRunner().invoke(main, list(words), prog_name="experience")
    assert result.exit_code == 0, result.output
    return result.stdout


def cli_json(*words: str) -> Any:
    return json.loads(cli(*words, "--json"))


def api(client: httpx.Client, path: str, **body: Any) -> Any:
    answer = client.post(path, json=body) if body else client.get(path)
    assert answer.is_success, answer.text
    return answer.json()


def page(client: httpx.Client, path: str) -> str:
    """What a page holds: its words, and the values of its fields and addresses."""
    answer = client.get(path)
    assert answer.status_code == 200, answer.text
    values = re.findall(r'(?:value|href|datetime)="([^"]*)"', answer.text)
    return html.unescape(re.sub(r"<[^>]*>", "", answer.text) + "\n" + "\n".join(values))


def leaves(value: Any) -> Iterator[Any]:
    """Every text, number and bool in a document."""
    if isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from leaves(inner)
    elif value is not None:
        yield value


# --- simulate


def test_a_channel_that_is_refused_is_refused_by_every_face(client: httpx.Client) -> None:
    by_cli = cli_json("simulate", "drafts/broadcast", "--visitor", "v1")
    by_api = api(client, "/v1/simulate", experience="broadcast", visitor="v1")
    address = Play(experience="broadcast", visitor="v1").address()
    by_page = page(client, f"/playground?s={address}")

    assert by_cli["log"][-1]["message"] == by_api["log"][-1]["message"] == "unsupported_channel"
    assert "unsupported_channel" in by_page
    assert by_cli["executions"] == by_api["executions"] == []
    assert "delivered" not in by_page


@pytest.mark.parametrize("at", ["9999-12-31T23:30:00Z", "0001-01-01T00:30:00Z"])
def test_the_edge_of_the_calendar_is_refused_by_every_face(client: httpx.Client, at: str) -> None:
    words = [
        "simulate",
        "drafts/reminder",
        "--at",
        at,
        "--for",
        "1 min",
        "--timezone",
        "Asia/Tokyo",
        "--json",
    ]
    by_cli = CliRunner().invoke(main, words, prog_name="experience")
    body = {"experience": "reminder", "at": at, "for": "1 min", "timezone": "Asia/Tokyo"}
    by_api = client.post("/v1/simulate", json=body)
    address = Play(experience="reminder", visitor="", timezone="Asia/Tokyo", at=at).address()
    by_page = client.get(f"/playground?s={address}")

    assert json.loads(by_cli.stdout)["error"]["code"] == "invalid_time"
    assert (by_api.status_code, by_api.json()["code"]) == (422, "invalid_time")
    assert by_page.status_code == 422
    assert "at the edge of the calendar" in by_page.text


# --- secrets


def test_what_an_operator_wrote_shows_no_secret_on_any_face(client: httpx.Client) -> None:
    by_hand = base64.b64encode(f"user:{SECRET}".encode()).decode()
    payload = {"body": {"to": HOOK, "authorization": f"Basic {by_hand}"}}
    cli("run", "drafts/reminder", "--visitor", "v1")
    api(client, "/v1/integrations/webhook/pause", reason=f"moved to {HOOK}")
    set_ = ["schedules", "set", "digest", "--integration", "webhook", "--daily", "09:00", "--timezone", "UTC"]

    said = [
        cli(*set_, "--payload", json.dumps(payload), "--json"),
        *(cli(*words, *more) for words in _READS for more in ((), ("--json",))),
        *(client.get(path).text for path in _PAGES),
    ]
    said.append(cli("integrations", "pause", "broadcast", "--reason", HOOK, "--json"))
    refused = CliRunner().invoke(main, ["integrations", "pause", HOOK], prog_name="experience")
    said += [refused.output, client.post(f"/v1/integrations/{SECRET}/pause").text]

    assert sum("[redacted]" in each for each in said) > 10
    for each in said:
        for form in (SECRET, "Qu3ryS3cret", by_hand):
            assert form not in each


_READS = (
    ("integrations", "list"),
    ("integrations", "show", "webhook"),
    ("executions", "list"),
    ("schedules", "list"),
    ("schedules", "show", "digest"),
)
_PAGES = (
    "/v1/integrations",
    "/v1/integrations/webhook",
    "/v1/executions",
    "/v1/schedules",
    "/v1/schedules/digest",
    "/settings/integrations",
    "/settings/integrations/webhook",
    "/settings/integrations/webhook/schedule",
    "/executions",
    "/",
)


# --- every fact


def test_every_fact_of_an_execution_is_the_same_on_every_face(client: httpx.Client, runtime: Runtime) -> None:
    cli("run", "drafts/reminder", "--visitor", "v1", "--timezone", "Europe/Paris")
    api(client, "/v1/integrations/webhook/pause", reason="the receiver moves")
    (listed,) = api(client, "/v1/executions")["executions"]
    id = listed["id"]
    runtime.dispatcher.run_due()

    shown = api(client, f"/v1/executions/{id}")
    on_page = page(client, f"/executions/{id}")

    assert cli_json("executions", "list") == api(client, "/v1/executions")
    assert cli_json("executions", "show", id) == shown
    assert {name: shown[name] for name in listed} == listed
    assert shown["held"].startswith("webhook is paused since")
    said_otherwise = {True: "cancels it", "visitor_zone": "the visitor's zone"}
    said_otherwise |= {shown["due_local"]: day_and_time(shown["due_local"])}
    for fact in leaves({name: fact for name, fact in shown.items() if name != "history"}):
        # a button there, a command here
        assert on_page_said(str(said_otherwise.get(fact, fact))) in on_page, fact
    for change in shown["history"]:
        assert change["at"] in on_page
        assert change["to"] in on_page


def test_every_fact_of_an_attempt_is_the_same_on_every_face(client: httpx.Client) -> None:
    called = client.post("/v1/integrations/webhook/call", json={"payload": {"body": 1}})
    (listed,) = api(client, "/v1/executions?status=failed")["executions"]

    shown = api(client, f"/v1/executions/{listed['id']}")
    on_page = page(client, f"/executions/{listed['id']}")

    assert called.json()["code"] == "blocked_address"
    assert cli_json("executions", "show", listed["id"]) == shown
    (attempt,) = shown["attempts"]
    for fact in leaves({name: fact for name, fact in attempt.items() if name != "ended_at"}):
        assert str(fact) in on_page, fact  # the page tells how long it took instead of when it ended


def test_every_fact_of_an_integration_is_the_same_on_every_face(client: httpx.Client) -> None:
    cli("run", "drafts/reminder", "--visitor", "v1")
    api(client, "/v1/integrations/webhook/pause", reason="the receiver moves")

    shown = api(client, "/v1/integrations/webhook")
    on_page = page(client, "/settings/integrations/webhook") + page(
        client, "/settings/integrations/webhook/settings"
    )

    assert cli_json("integrations", "list") == api(client, "/v1/integrations")
    assert cli_json("integrations", "show", "webhook") == shown
    assert (shown["paused_at"], shown["pending"], shown["site"]) != (None, 0, False)
    assert shown["policy"]["concurrency"] == 3
    for each in shown["settings"]:
        assert each["name"] in on_page
    assert on_page.count("not set") == sum(not each["is_set"] for each in shown["settings"])
    words = {
        "site": "Site keys may call it",
        "configured": "configured",
        "settings": "",
        "schedules": "",
        "broken": "",
    }
    for name, fact in shown.items():
        for leaf in leaves(words.get(name, fact)):
            assert on_page_said(str(leaf)) in on_page, (name, leaf)


def test_every_fact_of_a_schedule_is_the_same_on_every_face(client: httpx.Client) -> None:
    words = ["schedules", "set", "digest", "--integration", "webhook", "--daily", "09:30"]
    words += ["--timezone", "Europe/Paris", "--window-day", "monday-friday", "--window-time", "08:00-18:00"]
    words += ["--skip", "2030-12-25", "--catch-up", "none"]
    cli(*words, "--payload", '{"body": {"say": "good morning"}}')
    ran = cli_json("schedules", "run", "digest")

    shown = api(client, "/v1/schedules/digest")
    on_page = page(client, "/settings/integrations/webhook/schedule?edit=digest")

    assert cli_json("schedules", "list") == api(client, "/v1/schedules")
    assert cli_json("schedules", "show", "digest") == shown
    assert ran == api(client, "/v1/executions?schedule=digest")["executions"][0]
    assert [run["outcome"] for run in shown["runs"]] == ["fired"]
    elsewhere = {"created_at", "updated_at", "version", "last", "window"}
    for name, fact in shown.items():
        for leaf in leaves([] if name in elsewhere else fact):
            told = day_and_time(leaf) if name == "next" and not str(leaf).endswith("Z") else str(leaf)
            assert told in on_page, (name, leaf)
    for part in ("monday-friday", "08:00", "18:00"):
        assert part in on_page


def test_every_fact_of_a_visitor_is_the_same_on_every_face(client: httpx.Client) -> None:
    api(
        client,
        "/v1/visitors/v1/events",
        type="ecView",
        data={"page": "basket"},
        timezone="Europe/Paris",
    )
    api(client, "/v1/visitors/v1/convert", event="ecBasketTransactionSummary")

    shown = api(client, "/v1/visitors/v1")
    on_page = page(client, "/visitors?id=v1")

    assert cli_json("visitors", "show", "v1") == shown
    assert (len(shown["events"]), len(shown["conversions"])) == (1, 1)
    for leaf in leaves(shown):
        assert str(leaf) in on_page, leaf
