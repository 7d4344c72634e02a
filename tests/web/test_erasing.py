"""A person is erased: no table, no file and no backup made afterwards holds a word of them."""

import json
import re
from dataclasses import replace
from pathlib import Path

import httpx
from experience_runtime.domain.access import Scope
from experience_runtime.engine.personal import erase, export
from experience_runtime.runtime import Runtime
from experience_runtime.store.sqlite.recovery import back_up

from tests.support.executions import add_together, an_execution

from .conftest import Token, bearing, write

WHO = "zenobia-7f3a"
ALIAS = "zenobia-mail-41"
TALKS = """module.exports = function variation (options) {
  const who = options.meta.visitorId
  options.log.info('here is ' + who)
  return options.integration('webhook').schedule({ body: { to: who } }, { key: { who }, delay: '2 hours' })
}
"""


def lived(client: httpx.Client, folder: Path) -> None:
    """The person ran, was scheduled for, viewed, converted, failed, and is known by two ids."""
    write(folder / "drafts/talks/variation.js", TALKS)
    key = {"Idempotency-Key": "order-1"}
    for visitor in (WHO, ALIAS, "bystander"):
        for n in range(30):
            body = {"visitor": visitor, "data": n, "state": {"mail": visitor}, "keep_state": n == 0}
            assert client.post("/v1/experiences/talks/run", json=body).status_code == 200
        body = {"type": "ecView", "data": {"mail": f"{visitor}@example.com"}, "timezone": "Europe/Paris"}
        assert client.post(f"/v1/visitors/{visitor}/events", json=body).status_code == 200
    client.post("/v1/experiences/talks/run", json={"visitor": WHO}, headers=key)
    client.post(f"/v1/visitors/{WHO}/identify", json={"person": ALIAS})
    client.post(f"/v1/visitors/{ALIAS}/convert")
    weekly = {
        "integration": "slack-update",
        "daily": "09:00",
        "timezone": "UTC",
        "payload": {"message": ALIAS},
    }
    assert client.put("/v1/schedules/weekly", json=weekly).status_code in (200, 201)


def tables(runtime: Runtime) -> str:
    """Every row of every table, as text."""
    connection = runtime.store.database.connection
    names = connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'").fetchall()
    return "\n".join(str(connection.execute(f'SELECT * FROM "{name}"').fetchall()) for (name,) in names)  # noqa: S608


def files(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in sorted(folder.glob("experience.db*")))


def test_an_erased_person_is_in_no_table_no_file_and_no_backup(
    client: httpx.Client, runtime: Runtime, folder: Path
) -> None:
    lived(client, folder)
    assert tables(runtime).count(WHO) > 30
    assert WHO.encode() in files(folder)
    assert "recurring schedules whose payload names them" in client.get(f"/visitors/{WHO}").text
    (named,) = client.get(f"/v1/visitors/{WHO}/export").json()["schedules"]
    assert (named["name"], named["payload"]) == ("weekly", {"message": ALIAS})
    counted = client.delete(f"/v1/visitors/{WHO}?dry_run=true").json()

    erased = client.delete(f"/v1/visitors/{WHO}").json()
    back_up(runtime.database_path, str(folder / "backup.db"), lambda *_: None)

    assert counted == erased | {"erased": False, "answers": 0}
    assert (erased["ids"], erased["runs"], erased["events"], erased["conversions"]) == (2, 61, 2, 1)
    assert (erased["answers"], erased["schedules"]) == (1, ["weekly"])
    found = tables(runtime)
    for word in (WHO, ALIAS):
        assert word not in found
        assert word.encode() not in files(folder)
        assert word.encode() not in (folder / "backup.db").read_bytes()
    assert found.count("bystander") > 30
    assert "'ids': 2" in str(found) or '"ids": 2' in found  # that somebody was erased is known


def test_a_request_that_was_answered_before_is_not_carried_out_again(
    client: httpx.Client, folder: Path
) -> None:
    lived(client, folder)
    client.delete(f"/v1/visitors/{WHO}")

    again = client.post(
        "/v1/experiences/talks/run", json={"visitor": WHO}, headers={"Idempotency-Key": "order-1"}
    )

    assert again.json() == {"erased": True}
    assert client.get(f"/v1/executions?visitor={WHO}").json()["executions"] == []


def test_everything_of_a_person_is_exported_over_all_ids(client: httpx.Client, folder: Path) -> None:
    lived(client, folder)

    document = client.get(f"/v1/visitors/{ALIAS}/export").json()

    assert document["ids"] == [WHO, ALIAS]
    assert len(document["runs"]) == 61
    assert len(document["executions"]) == 61
    assert {each["data"]["mail"] for each in document["events"]} == {
        f"{WHO}@example.com",
        f"{ALIAS}@example.com",
    }
    assert [each["state"] for each in document["states"]] == [{"mail": WHO}, {"mail": ALIAS}]
    assert len(document["conversions"]) == 1
    assert all("history" in each for each in document["executions"])
    assert all("log" in each for each in document["runs"])
    assert "bystander" not in str(document)


def test_only_who_may_change_things_erases(client: httpx.Client, token: Token) -> None:
    viewer = bearing(token(Scope.VIEWER))

    assert client.delete("/v1/visitors/v1", headers=viewer).status_code == 403
    assert client.get("/v1/visitors/v1/export", headers=viewer).status_code == 200


def test_the_page_erases_only_when_the_id_is_typed_once_more(client: httpx.Client, folder: Path) -> None:
    lived(client, folder)
    page = client.get(f"/visitors?id={WHO}").text
    form = {"form_token": re.findall(r'name="form_token" value="([^"]*)"', page)[0], "id": WHO}
    own = {"Origin": str(client.base_url).rstrip("/")}

    refused = client.post("/visitors/erase", data=form | {"sure": "zenobia"}, headers=own)
    kept = client.get(f"/v1/executions?visitor={WHO}").json()["executions"]
    done = client.post("/visitors/erase", data=form | {"sure": WHO}, headers=own)

    assert refused.status_code == 422
    assert kept
    assert (done.status_code, done.headers["location"]) == (303, "/visitors")
    told, again = (client.get("/visitors").text for _ in range(2))
    assert "The visitor is erased" in told
    assert "The visitor is erased" not in again  # it was said once
    assert "The visitor is erased" not in client.get("/visitors?did=erased").text
    assert client.get(f"/v1/executions?visitor={WHO}").json()["executions"] == []


def test_an_export_is_read_while_it_is_sent_and_leaves_out_what_is_erased_meanwhile(runtime: Runtime) -> None:
    many = 1_200
    executions = [replace(an_execution(number), visitor="eve") for number in range(1, many + 1)]
    add_together(runtime.store, executions)
    pieces = export(runtime.store, runtime.lookup, "eve", redact=str)

    first = next(pieces)
    erase(runtime.store, runtime.clock, "eve")
    document = json.loads("".join((first, *pieces)))

    assert len(first) < 100_000
    assert 0 < len(document["executions"]) < many
    assert document["schedules"] == document["runs"] == []
