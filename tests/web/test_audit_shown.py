"""The audit as people read it: the page, the CSV and the list; none of them acts on what it shows."""

import csv
import io
import json
from dataclasses import replace

import httpx

from .test_audit import World, runtime, world

__all__ = ["runtime", "world"]


def test_the_page_and_the_csv_show_what_was_changed_and_no_formula(
    world: World, client: httpx.Client
) -> None:
    made = replace(
        world.runtime.store.tokens.all()[0], name="next", digest=b"n" * 32, note="=cmd|' /C calc'!A0"
    )
    world.runtime.store.tokens.put(made)
    world.runtime.operations.pause("webhook", reason="<script>alert(1)</script>")

    page = client.get("/settings/audit?kind=integration", headers=world.viewer).text
    own = client.get("/settings/integrations/webhook", headers=world.viewer).text
    text = client.get("/settings/audit.csv?kind=token", headers=world.viewer)
    listed = client.get("/v1/audit?kind=token&object=next", headers=world.viewer).json()

    for each in (page, own):
        assert "integration pause" in each
        assert "&lt;script&gt;" in each
        assert "<script>alert" not in each
    assert text.headers["content-type"] == "text/csv; charset=utf-8"
    rows = list(csv.DictReader(io.StringIO(text.text)))
    assert [row["object"] for row in rows] == ["next", "looker", "ops"]
    assert json.loads(rows[0]["after"])["note"] == "=cmd|' /C calc'!A0"  # within JSON: no cell begins with it
    (entry,) = listed["entries"]
    assert (entry["actor"], entry["before"], entry["after"]["scopes"]) == ("runtime", None, ["viewer"])
    wrong = client.get("/v1/audit?action=cancelled", headers=world.viewer)
    assert wrong.status_code == 422
    assert 'did you mean "cancel"?' in wrong.json()["detail"]
    assert client.get("/settings/audit?since=never", headers=world.viewer).status_code == 422
    assert client.get("/v1/audit?cursor=x", headers=world.viewer).status_code == 422


def test_an_actor_that_a_spreadsheet_would_compute_is_a_text() -> None:
    from experience_runtime.documents.audit import audit_csv

    document = dict.fromkeys(("id", "at", "actor", "address", "kind", "action", "object"), "x")
    text = audit_csv([{**document, "object": "=1+1", "before": None, "after": None}])

    assert next(csv.DictReader(io.StringIO(text)))["object"] == "'=1+1"
