"""kill -9: nothing acknowledged is lost, and nothing runs twice beyond the attempt that was in flight."""

from datetime import UTC, datetime

from .conftest import Project, Receiver, instant

ONCE = "return webhook.schedule({order: 1}, {key: 'order', delay: DELAY})"


def _scheduled(project: Project, delay: str) -> tuple[str, datetime]:
    project.write_experience("order", ONCE.replace("DELAY", repr(delay)))
    (execution,) = project.document("run", "order", "--visitor", "v1")["executions"]
    return execution["id"], instant(execution["due_at"])


def test_a_worker_killed_before_the_time_comes_loses_nothing(project: Project, receiver: Receiver) -> None:
    first = project.worker()
    first.wait_for("delivering")
    execution_id, due_at = _scheduled(project, "4s")

    first.kill()
    killed_at = datetime.now(UTC)
    project.worker()
    request = receiver.next()

    assert killed_at < due_at <= request.at
    project.wait_until(execution_id, lambda document: document["status"] == "succeeded")
    assert receiver.ids() == [execution_id]


def test_a_call_in_flight_when_the_worker_is_killed_is_made_again_under_the_same_id(
    project: Project, receiver: Receiver
) -> None:
    execution_id, _ = _scheduled(project, "0s")
    receiver.open.clear()
    first = project.worker()
    receiver.next()

    first.kill()
    receiver.open.set()
    second = project.worker()
    second.wait_for(f"{execution_id} was left behind")
    receiver.next()
    shown = project.wait_until(execution_id, lambda document: document["status"] == "succeeded")

    assert receiver.ids() == [execution_id, execution_id]
    assert len(shown["attempts"]) == 2
    assert [change["to"] for change in shown["history"]][-1] == "succeeded"


def test_what_succeeded_never_runs_again_after_a_kill(project: Project, receiver: Receiver) -> None:
    execution_id, _ = _scheduled(project, "0s")
    first = project.worker()
    project.wait_until(execution_id, lambda document: document["status"] == "succeeded")

    first.kill()
    done = project.experience("worker", "--until-idle")

    assert done.returncode == 0
    assert receiver.ids() == [execution_id]


def test_a_second_worker_names_the_first_waits_and_takes_over_when_it_is_killed(
    project: Project, receiver: Receiver
) -> None:
    first = project.worker()
    first.wait_for("delivering")
    _scheduled(project, "0s")
    receiver.next()  # the first has the lock for certain
    second = project.worker()
    line = second.wait_for("another worker")
    assert str(first.pid) in line

    first.kill()
    assert second.is_running()
    project.write_experience("later", "return webhook.schedule({order: 2}, {delay: 0})")
    (later,) = project.document("run", "later")["executions"]
    request = receiver.next()

    assert request.webhook_id == later["id"]
    project.wait_until(later["id"], lambda document: document["status"] == "succeeded")
    assert later["id"] not in first.log


def test_a_waiting_worker_ends_at_sigterm(project: Project, receiver: Receiver) -> None:
    first = project.worker()
    _scheduled(project, "0s")
    receiver.next()
    second = project.worker()
    second.wait_for("another worker")

    second.terminate()

    assert second.end() == 0
    assert first.is_running()


def test_a_run_killed_in_the_middle_leaves_what_was_acknowledged(
    project: Project, receiver: Receiver
) -> None:
    receiver.open.clear()
    project.write_experience(
        "order", "return webhook.schedule({order: 1}, {delay: 0}).then(() => webhook({held: true}))"
    )
    run = project.begin("run", "order", "--visitor", "v1")
    held = receiver.next()  # the schedule call is answered; its execution is on disk

    run.kill()
    run.communicate()
    receiver.open.set()
    project.experience("worker", "--until-idle")

    assert held.body == {"held": True}
    assert [request.body for request in receiver.requests[1:]] == [{"order": 1}]
