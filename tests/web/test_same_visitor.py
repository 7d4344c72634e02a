"""Each sample, and triggers as sites have them: served, with the events a page sent, as in a simulation."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from experience_runtime.web.pages.playground.form import Play
from pytest_httpserver import HTTPServer

from .conftest import write
from .test_serve import Project, project

__all__ = ["project"]

SAMPLES = Path(__file__).resolve().parents[2] / "sample_experiences"
VARIATION = """module.exports = function variation (options) {
  return options.integration('webhook').schedule({ body: { fired: true } }, { key: { t: 1 }, delay: '1 day' })
}"""
BOUGHT = {"type": "ecBasketTransactionSummary", "data": {"basket": {"total": 42}}}
VIEW = {"type": "my-shop.ecView", "data": {"type": "basket"}}
BASKET = {"type": "ecBasketSummary", "data": {"basket": {"total": 120, "quantity": 3}}}

# its triggers, the events that the page sent before, what else the caller tells, whether it fires
TRIGGERS: dict[str, tuple[str, list[dict[str, Any]], dict[str, Any], bool]] = {
    "a page of a kind": (
        "o.uv.on(/ecView$/, function (e) { if (e.type === 'basket') cb() }).replay()",
        [VIEW],
        {},
        True,
    ),
    "a basket worth it": (
        "o.uv.once('ecBasketSummary', function (e) { cb(e.basket.total > 100) }).replay()",
        [BASKET, VIEW],
        {},
        True,
    ),
    "nobody who bought": (
        "o.getVisitorState().then(function (v) { cb(!v.conversionNumber) })",
        [BOUGHT],
        {},
        False,
    ),
    "a second view": ("o.getVisitorState().then(v => cb(v.viewNumber > 1))", [VIEW, VIEW], {}, True),
    "the checkout on a telephone": (
        "o.getBrowserState().then(b => cb(/checkout/.test(b.url) && b.ua.deviceType === 'mobile'))",
        [],
        {"browser": {"url": "https://shop.example/checkout", "ua": {"deviceType": "mobile"}}},
        True,
    ),
    "a group, by its cookie": ("cb(o.cookies.get('group') === 'b')", [], {"cookies": {"group": "b"}}, True),
    "a country": (
        "o.getVisitorState().then(v => cb(v.country === 'France'))",
        [],
        {"state": {"country": "France"}},
        True,
    ),
    "an event that never came": ("o.uv.on('ecProduct', function () { cb() }).replay()", [VIEW], {}, False),
}


# fires where all that a caller can tell has come to the run
EVERY_FACT = """module.exports = function triggers (o, cb) {
  const b = o.getBrowserState().value, v = o.getVisitorState().value
  o.uv.on('ecBasketSummary', function (e) {
    const all = [e.basket.total, v.country, b.url, b.ua.deviceType, o.cookies.get('group'), o.data.city]
    o.log.info(all.join(' '))
    cb(all.every(Boolean))
  }).replay()
}"""
FACTS: dict[str, Any] = {
    "events": [BASKET],
    "state": {"country": "France"},
    "browser": {"url": "https://shop.example/", "ua": {"deviceType": "mobile"}},
    "cookies": {"group": "b"},
}
DATA = {"city": "Lyon"}
SAID = "120 France https://shop.example/ mobile b Lyon"


@pytest.fixture
def client(folder: Path, project: Project, httpserver: HTTPServer) -> Iterator[httpx.Client]:
    """A server in a process of its own, whose drafts are the samples and what a test writes beside them."""
    httpserver.expect_request("/slack").respond_with_data("ok")
    settings = folder / "experience.toml"
    slack = httpserver.url_for("/slack").replace("localhost", "127.0.0.1")
    settings.write_text(f'{settings.read_text()}\n[integrations.slack-update]\nurl = "{slack}"\n')
    for sample in SAMPLES.iterdir():
        for file in sample.glob("*.js*"):
            write(folder / "drafts" / sample.name / file.name, file.read_text(encoding="utf-8"))
    write(folder / "drafts/all/triggers.js", EVERY_FACT)
    write(folder / "drafts/all/variation.js", VARIATION)
    for number, (triggers, _, _, _) in enumerate(TRIGGERS.values()):
        text = f"module.exports = function triggers (o, cb) {{ {triggers} }}"
        write(folder / f"drafts/t{number}/triggers.js", text)
        write(folder / f"drafts/t{number}/variation.js", VARIATION)
    with project.serve().client as opened:
        yield opened


def answered(answer: httpx.Response) -> Any:
    assert answer.status_code == 200, answer.text
    return answer.json()


def both_ways(
    client: httpx.Client, name: str, visitor: str, events: list[dict[str, Any]], told: dict[str, Any]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """The documents of a run for which the events were stored, and of the simulation of a story with them."""
    who = {"visitor": visitor, "timezone": "Europe/Paris"}
    items = [event | {"key": f"{visitor}-{number}".ljust(16, "-")} for number, event in enumerate(events)]
    if items:
        answered(client.post("/visitors/events", json=who | {"items": items}))
    for_real = answered(client.post(f"/v1/experiences/{name}/run", json=who | told))
    steps = [
        *(
            {"after": number, "do": "emit", "visitor": visitor, **event}
            for number, event in enumerate(events)
        ),
        {"after": len(events), "do": "run", "visitor": visitor, **told},
    ]
    story = {"for": 1000, "visitors": [{"id": visitor, "timezone": "Europe/Paris"}], "steps": steps}
    return for_real, answered(client.post("/v1/simulate", json={"experience": name, "story": story}))


def what_it_did(document: dict[str, Any]) -> dict[str, Any]:
    """What must be the same: all but instants, ids and what the other side answers."""
    return {
        "outcome": document["outcome"],
        "calls": [(each["integration"], each["verb"], each["ok"]) for each in document["calls"]],
        "events": [(each["type"], each["data"]) for each in document["events"]],
        "log": [(each["level"], each["logger"], _timeless(each["message"])) for each in document["log"]],
        "executions": sorted(
            (each["integration"], json.dumps(each["key"]), json.dumps(each["payload"]), each["zone"])
            for each in document["executions"]
        ),
    }


def _timeless(text: str) -> str:
    return re.sub(r"\d{4}-\d\d-\d\dT[0-9:.]+(Z|[+-]\d\d:\d\d)", "(instant)", text)


def test_each_sample_does_the_same_for_real_and_in_a_simulation(client: httpx.Client) -> None:
    differing = {}
    ran = set()
    for sample in sorted(SAMPLES.iterdir()):
        story = json.loads((sample / "story.json").read_text(encoding="utf-8"))
        for visitor in [each["id"] for each in story["visitors"]]:
            own = [step for step in story["steps"] if step.get("visitor") == visitor]
            runs = [step for step in own if step["do"] == "run"]
            events = [event for step in runs for event in step.get("events", [])]
            events += [
                {"type": step["type"], "data": step.get("data", {})} for step in own if step["do"] == "emit"
            ]
            told = {"data": runs[0]["data"]} if "data" in runs[0] else {}
            real, simulated = both_ways(client, sample.name, visitor, events, told)
            if real["outcome"] == "ran":
                ran.add(sample.name)
            if what_it_did(real) != what_it_did(simulated):
                differing[sample.name, visitor] = (what_it_did(real), what_it_did(simulated))

    assert differing == {}
    assert ran == {sample.name for sample in SAMPLES.iterdir()}  # each for one of its visitors at least


def test_triggers_fire_for_real_where_they_fire_in_a_simulation(client: httpx.Client) -> None:
    for number, (name, (_, events, told, fires)) in enumerate(TRIGGERS.items()):
        real, simulated = both_ways(client, f"t{number}", f"v{number}", events, told)

        assert what_it_did(real) == what_it_did(simulated), name
        assert bool(real["executions"]) is fires, name


def test_every_way_to_a_run_takes_the_same_facts(client: httpx.Client, project: Project) -> None:
    def told(*words: str) -> dict[str, Any]:
        for name, value in {**FACTS, "data": DATA}.items():
            (project.folder / f"{name}.json").write_text(json.dumps(value))
        files = [f"--{name}={name}.json" for name in ("state", "browser", "cookies", "data")]
        event = f"--event=ecBasketSummary={json.dumps(BASKET['data'])}"
        done = project.experience(*words, "drafts/all", "--visitor=eve", *files, event, "--json")
        assert done.returncode == 0, done.stderr
        document: dict[str, Any] = json.loads(done.stdout)
        return document

    asked = {"visitor": "eve", "data": DATA, **FACTS}
    story = {"steps": [{"do": "run", **asked}]}
    ways = {
        "POST …/run": answered(client.post("/v1/experiences/all/run", json=asked)),
        "POST /v1/simulate": answered(client.post("/v1/simulate", json={"experience": "all", **asked})),
        "a story": answered(client.post("/v1/simulate", json={"experience": "all", "story": story})),
        "experience run": told("run"),
        "experience simulate": told("simulate"),
    }
    for way, document in ways.items():
        assert [line["message"] for line in document["log"]] == [SAID], way
        assert len(document["executions"]) == 1, way
    without = answered(client.post("/v1/experiences/all/run", json={"visitor": "eve"}))
    assert without["executions"] == []

    play = Play(experience="all", visitor="eve", data=json.dumps(DATA), page=json.dumps(FACTS))
    page = client.get(f"/playground?s={play.address()}")
    assert page.status_code == 200
    assert SAID in page.text

    # and where that is said, the state is kept for the runs to come
    keeps = {"visitor": "kay", "state": {"country": "France", "no": 1}, "keep_state": True}
    number = list(TRIGGERS).index("a country")

    assert answered(client.post(f"/v1/experiences/t{number}/run", json=keeps))["executions"]
    assert answered(client.post(f"/v1/experiences/t{number}/run", json={"visitor": "kay"}))["executions"]
    (project.folder / "state.json").write_text('{"no": null, "tier": "gold"}')
    done = project.experience(
        "run", f"drafts/t{number}", "--visitor=kay", "--state=state.json", "--keep-state"
    )
    assert done.returncode == 0, done.stderr

    kept = {"country": "France", "tier": "gold"}
    assert answered(client.get("/v1/visitors/kay"))["state"] == kept
    assert answered(client.get("/v1/visitors/kay/export"))["states"] == [{"id": "kay", "state": kept}]
    assert "gold" in client.get("/visitors?id=kay").text
    assert (
        'state {"country": "France", "tier": "gold"}' in project.experience("visitors", "show", "kay").stdout
    )
    answered(client.delete("/v1/visitors/kay"))
    assert client.get("/v1/visitors/kay").status_code == 404
    for wrong in ({"state": {"a": 1}}, {"visitor": "kay"}):
        refused = client.post(f"/v1/experiences/t{number}/run", json={"keep_state": True, **wrong})
        assert (refused.status_code, "keep_state keeps the state" in refused.text) == (422, True)
