"""The issue's own walk: run an experience for a visitor, let a worker deliver, look at the history."""

from datetime import timedelta

import pytest

from .conftest import SECRET_PATH, SECRET_QUERY, Project, Receiver, instant

# Every day and every minute: the window's zone shows whose it is and never delays the test.
ANY_TIME = "window: {day: 'sunday-saturday', time: '00:00-23:59'}"
NEW_YORK = ("--visitor", "v1", "--timezone", "America/New_York")


def test_a_scheduled_message_arrives_at_its_time_once_and_the_history_shows_it(
    project: Project, receiver: Receiver
) -> None:
    body = (
        f"return slack.schedule({{message: 'Hello!'}}, {{key: {{foo: 'bar'}}, delay: '300ms', {ANY_TIME}}})"
    )
    project.write_experience("hello", body)
    worker = project.worker()
    worker.wait_for("delivering")

    report = project.document("run", "hello", *NEW_YORK)
    request = receiver.next()
    (execution,) = report["executions"]
    shown = project.wait_until(execution["id"], lambda document: document["status"] == "succeeded")
    worker.terminate()

    assert worker.end() == 0
    assert report["outcome"] == "ran"
    assert report["visitor"] == {"id": "v1", "timezone": "America/New_York", "timezone_offset": None}
    assert (execution["zone"], execution["zone_from"]) == ("America/New_York", "visitor_zone")
    assert instant(execution["due_local"]).utcoffset() in (timedelta(hours=-5), timedelta(hours=-4))
    due_at = instant(execution["due_at"])
    assert due_at <= request.at < due_at + timedelta(seconds=60)
    assert request.body == {"text": "Hello!"}
    assert request.path == f"/services/{SECRET_PATH}?token={SECRET_QUERY}"
    assert len(receiver.requests) == 1
    steps = [(change["from"], change["to"]) for change in shown["history"]]
    assert steps == [(None, "pending"), ("pending", "running"), ("running", "succeeded")]
    assert [attempt["status"] for attempt in shown["attempts"]] == [200]


def test_until_idle_delivers_what_is_due_and_ends(project: Project, receiver: Receiver) -> None:
    project.write_experience(
        "hello",
        "return Promise.all([slack.schedule('now', {delay: 0}), slack.schedule('later', {delay: '1 day'})])",
    )
    report = project.document("run", "hello", *NEW_YORK)

    assert project.document("worker", "--until-idle") == {"stopped": "idle"}

    assert [request.body for request in receiver.requests] == [{"text": "now"}]
    now, later = report["executions"]
    assert project.execution(now["id"])["status"] == "succeeded"
    assert project.execution(later["id"])["status"] == "pending"


def test_execute_is_answered_inside_the_run(project: Project, receiver: Receiver) -> None:
    project.write_experience("hello", "return slack({message: 'at once'}).then(options.log.info)")

    report = project.document("run", "hello", *NEW_YORK)

    assert [request.body for request in receiver.requests] == [{"text": "at once"}]
    assert report["calls"] == [
        {"integration": "slack-update", "verb": "execute", "ok": True, "result": {"ok": True}}
    ]
    assert [execution["status"] for execution in report["executions"]] == ["succeeded"]


@pytest.mark.parametrize("status", [200, 404])
def test_the_address_is_shown_and_stored_nowhere(project: Project, receiver: Receiver, status: int) -> None:
    receiver.status = status
    receiver.answer = "ok" if status == 200 else f"no hook at PATH, not even for {receiver.url}"
    project.write_experience(
        "hello",
        "return slack.schedule('a', {delay: 0}).then(() => webhook('b'))"
        ".catch(() => 0).then(() => webhook('c'))"
        ".catch((e) => options.log.error('caught', e))",
    )
    report = project.experience("run", "hello", *NEW_YORK, "--json")
    delivered = project.experience("worker", "--until-idle")
    ids = [each["id"] for each in project.document("executions", "list")["executions"]]

    said = [report, delivered]
    for execution_id in ids:
        said += [project.experience("executions", "show", execution_id)]
    said += [project.experience("executions", "show", ids[0], "--json")]
    said += [project.experience("integrations", "call", "slack-update", '"d"')]
    said += [project.experience("integrations", verb, "--json") for verb in ("list", "check")]
    said += [project.experience("doctor")]

    assert len(ids) == 3
    assert len(receiver.requests) >= 4
    text = "".join(done.stdout + done.stderr for done in said)
    for secret in (SECRET_PATH, SECRET_QUERY):
        assert secret not in text
        assert secret.encode() not in project.stored_bytes()
    assert (b"[redacted]" in project.stored_bytes()) == (status != 200)


def test_sigterm_finishes_the_call_that_runs(project: Project, receiver: Receiver) -> None:
    project.write_experience("hello", "return slack.schedule('a', {delay: 0})")
    (execution,) = project.document("run", "hello")["executions"]
    receiver.open.clear()
    worker = project.worker()
    receiver.next()

    worker.terminate()
    receiver.open.set()

    assert worker.end() == 0
    assert project.execution(execution["id"])["status"] == "succeeded"
    assert len(receiver.requests) == 1
