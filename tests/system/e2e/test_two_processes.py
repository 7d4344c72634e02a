"""Several processes on one database file: runs that store while a worker delivers."""

import json
from collections import Counter

from .conftest import DEADLINE_SECONDS, Project, Receiver, statuses

RUNS = 4
EACH = 25


def test_runs_that_store_while_a_worker_delivers_lose_and_double_nothing(
    project: Project, receiver: Receiver
) -> None:
    each = "(_, n) => webhook.schedule({n}, {delay: n * 20})"
    project.write_experience("many", f"return Promise.all(Array.from({{length: {EACH}}}, {each}))")
    worker = project.worker()
    worker.wait_for("delivering")

    runs = [project.begin("run", "many", "--visitor", f"v{number}", "--json") for number in range(RUNS)]
    reports = [json.loads(run.communicate(timeout=DEADLINE_SECONDS)[0]) for run in runs]
    for _ in range(RUNS * EACH):
        receiver.next()
    worker.terminate()
    assert worker.end() == 0

    scheduled = [execution["id"] for report in reports for execution in report["executions"]]
    assert len(scheduled) == len(set(scheduled)) == RUNS * EACH
    assert Counter(receiver.ids()) == Counter(scheduled)
    stored = project.document("executions", "list", "--limit", "1000")["executions"]
    assert {execution["id"] for execution in stored} == set(scheduled)
    assert statuses(stored) == {"succeeded"}
    assert project.experience("worker", "--until-idle").returncode == 0
    assert len(receiver.requests) == RUNS * EACH
