"""The stream of state changes: who is told of what, from where on, and how it ends."""

import json
import re
import threading
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import httpx
import pytest
from experience_runtime.clocks import VirtualClock
from experience_runtime.domain.access import Scope
from experience_runtime.runtime import Runtime
from experience_runtime.web.api import stream
from experience_runtime.web.api.stream_ids import Sealed
from fastapi import FastAPI

from .conftest import Token, bearing
from .test_serve import Project, project

__all__ = ["project"]

HERE = "/v1/stream"


def events(text: str) -> list[tuple[str, str, Any]]:
    """Each event of a stream: its id, name and document."""
    found = []
    for block in text.split("\n\n"):
        fields = dict(line.split(": ", 1) for line in block.splitlines() if not line.startswith(":"))
        if "event" in fields:
            found.append((fields["id"], fields["event"], json.loads(fields["data"])))
    return found


def told(client: httpx.Client, last: str = "0", **params: Any) -> list[tuple[str, str, Any]]:
    answer = client.get(HERE, params={"seconds": 0, **params}, headers={"Last-Event-ID": last})
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"].startswith("text/event-stream")
    return events(answer.text)


def schedule(client: httpx.Client, key: str) -> str:
    call = {"payload": {"card": "🙂"}, "options": {"key": key, "delay": "1 hour"}, "visitor": "ada"}
    return str(client.post("/v1/integrations/webhook/schedule", json=call).json()["id"])


def test_each_is_told_of_what_may_be_seen_and_goes_on_where_it_was(
    client: httpx.Client, token: Token, runtime: Runtime
) -> None:
    assert told(client) == []  # from now on, changes are kept
    first = schedule(client, "a")
    client.post(f"/v1/executions/{first}/cancel", json={"reason": "a holiday"})
    run = client.post("/v1/experiences/reminder/run", json={"visitor": "ada"}).json()
    made = run["executions"][0]["id"]
    operator, author = (bearing(token(scope)) for scope in (Scope.OPERATOR, Scope.AUTHOR))
    client.headers = httpx.Headers(operator)

    all_of_it = told(client)
    (id, _, document) = all_of_it[1]

    assert [(name, each["data"]["execution"]["id"]) for _, name, each in all_of_it] == [
        ("execution.scheduled", first),
        ("execution.cancelled", first),
        ("execution.scheduled", made),
    ]
    assert [id for id, _, _ in all_of_it] == ["1", "2", "3"]
    assert document["data"]["reason"] == "a holiday"
    assert document["data"]["execution"]["payload"] == {"card": "🙂"}
    assert told(client, id) == all_of_it[2:]
    assert told(client, "0", type="execution.cancelled") == all_of_it[1:2]
    assert told(client, "0", integration="slack-update") == []
    client.headers = httpx.Headers(author)
    all_of_it[2][2]["data"]["position"] = None
    assert [each for _, *each in told(client)] == [[name, each] for _, name, each in all_of_it[2:]]
    runtime.store.erasing.erase("ada", now=runtime.clock.now())
    client.headers = httpx.Headers(operator)
    assert [name for _, name, _ in told(client)] == []
    assert [(name, each["after"]) for _, name, each in told(client, "77")] == [("gap", 77)]
    refused = client.get(HERE, params={"seconds": 0}, headers={"Last-Event-ID": "1'--"})
    assert (refused.status_code, refused.json()["code"]) == (422, "invalid_parameter")


def test_an_authors_ids_count_nothing_and_are_gone_on_from(
    client: httpx.Client, token: Token, runtime: Runtime
) -> None:
    def run() -> str:
        made = client.post("/v1/experiences/reminder/run", json={"visitor": "ada"}).json()
        return str(made["executions"][0]["id"])

    def of(found: list[tuple[str, str, Any]]) -> list[str]:
        return [each["data"]["execution"]["id"] for _, name, each in found if name == "execution.scheduled"]

    def asked(last: str | None, **params: Any) -> httpx.Response:
        headers = {} if last is None else {"Last-Event-ID": last}
        return client.get(HERE, params={"seconds": 0, **params}, headers=headers)

    told(client)
    author = bearing(token(Scope.AUTHOR))
    operator = bearing(token(Scope.OPERATOR))
    client.headers = httpx.Headers(author)
    first = asked(None).text
    begun, ended = re.findall("^id: (.*)$", first, re.MULTILINE)
    made = [run(), run()]
    client.headers = httpx.Headers(operator)
    hidden = schedule(client, "hidden")
    client.headers = httpx.Headers(author)
    made.append(run())
    whole = told(client, begun)
    ids = [id for id, _, _ in whole]

    assert of(whole) == made
    assert hidden not in str(whole)
    assert {each["data"]["position"] for _, _, each in whole} == {None}
    assert len({begun, ended, *ids, *re.findall("^id: (.*)$", asked(ended).text, re.MULTILINE)}) > 2 * len(
        ids
    )
    assert [of(told(client, id)) for id in (ended, ids[0], ids[-1])] == [made, made[1:], []]
    assert of(events(asked(None, after=0).text)) == made
    for refused in (asked("3"), asked(None, after=3), asked(f"A{begun[1:]}"), asked(begun[:-4])):
        assert (refused.status_code, refused.json()["code"]) == (422, "invalid_parameter"), refused.text
    late = VirtualClock(runtime.clock.now() - timedelta(hours=25))
    old = Sealed(runtime.store.feed.secret(), late).write(1)
    assert next(name for _, name, _ in told(client, old)) == "gap"
    assert "gap" not in {name for _, name, _ in whole}


def test_as_many_as_there_is_room_for_and_none_of_a_token_that_is_revoked(
    client: httpx.Client, token: Token, web: FastAPI, runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream, "LOOK_SECONDS", 0.01)
    monkeypatch.setattr(stream, "QUIET_SECONDS", 0.05)
    web.state.streams = stream.Streams(most=1)
    client.headers = httpx.Headers(bearing(token(Scope.OPERATOR, name="ops")))

    with client.stream("GET", HERE) as opened:
        lines = opened.iter_lines()
        assert next(lines) == "retry: 3000"
        id = schedule(client, "a")
        assert _until(lines, "data: ")["data"]["execution"]["id"] == id
        refused = client.get(HERE)
        runtime.store.tokens.revoke("ops", now=runtime.clock.now())
        rest = list(lines)  # it ends

    assert (refused.status_code, refused.json()["code"]) == (429, "rate_limited")
    assert refused.headers["retry-after"] == "5"
    assert not [each for each in rest if each.startswith("data")]


def test_a_change_of_another_process_is_told_and_a_server_that_stops_ends_its_streams(
    project: Project,
) -> None:
    served = project.serve("--no-worker")
    with served.client as client, client.stream("GET", HERE) as opened:
        lines = opened.iter_lines()
        assert next(lines) == "retry: 3000"
        said = project.experience("run", "released/reminder", "--visitor", "v1", "--json")
        document = _until(lines, "data: ")
        ending = threading.Thread(target=served.end)
        ending.start()
        list(lines)  # without an error
        ending.join()

    assert document["data"]["execution"]["id"] == json.loads(said.stdout)["executions"][0]["id"]
    assert served.process.returncode == 0


def _until(lines: Iterator[str], begin: str) -> Any:
    line = next(each for each in lines if each.startswith(begin))
    return json.loads(line.removeprefix(begin))
