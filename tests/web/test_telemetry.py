"""Traces and numbers of a served process, as a collector gets them: without what must not leave."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from tests.docs.metrics import reference
from tests.support.needs import lacking

from .test_serve import Project, project

__all__ = ["project"]

ASKED = "0af7651916cd43dd8448eb211c80319c"
CALLS = """
module.exports = async options => {
  const webhook = options.integration('webhook')
  webhook.schedule({ body: { secret: 'payload 4111' } }, { key: 'k', delay: '2 hours' })
  await webhook.execute({ body: { secret: 'payload 4111' } })
}
"""


class OtherSide:
    """The collector at /v1/traces and /v1/metrics, and the receiver of the webhook everywhere else."""

    def __init__(self) -> None:
        self.exported: dict[str, list[bytes]] = {"/v1/traces": [], "/v1/metrics": []}
        self.parents: list[str | None] = []
        other_side = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if self.path in other_side.exported:
                    other_side.exported[self.path].append(body)
                else:
                    other_side.parents.append(self.headers["traceparent"])
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def spans(self) -> dict[str, Any]:
        """The spans by their names; of several with one name the last."""
        from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

        found = {}
        for body in self.exported["/v1/traces"]:
            request = ExportTraceServiceRequest.FromString(body)
            for of_resource in request.resource_spans:
                for scope in of_resource.scope_spans:
                    found.update({span.name: span for span in scope.spans})
        return found

    def numbers(self) -> tuple[dict[str, Any], dict[str, str]]:
        """The metrics by their names as the last export has them, and what they are of."""
        from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest

        request = ExportMetricsServiceRequest.FromString(self.exported["/v1/metrics"][-1])
        (of_resource,) = request.resource_metrics
        about = {each.key: each.value.string_value for each in of_resource.resource.attributes}
        return {each.name: each for scope in of_resource.scope_metrics for each in scope.metrics}, about


def points(metric: Any, **labels: str) -> list[Any]:
    """The points of a metric that have these labels."""
    return [
        point
        for point in getattr(metric, metric.WhichOneof("data")).data_points
        if labels.items() <= {each.key: each.value.string_value for each in point.attributes}.items()
    ]


@pytest.fixture
def other_side() -> Iterator[OtherSide]:
    made = OtherSide()
    yield made
    made.server.shutdown()
    made.server.server_close()


def test_requests_runs_and_attempts_are_traced_and_counted_and_no_key_leaves(
    project: Project, other_side: OtherSide, monkeypatch: pytest.MonkeyPatch
) -> None:
    try:
        import opentelemetry.sdk  # noqa: F401 - an extra
    except ImportError:
        lacking("the extra otel is not installed")
    settings = project.folder / "experience.toml"
    settings.write_text(settings.read_text().replace("http://127.0.0.1:9/", f"{other_side.url}/hook"))
    (project.folder / "drafts/calls.js").write_text(CALLS)
    author, site = (
        json.loads(project.experience("tokens", "create", name, "--scope", scope, "--json").stdout)["token"]
        for name, scope in (("ops", "operator"), ("shop", "site"))
    )
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", other_side.url)
    monkeypatch.setenv("OTEL_RESOURCE_ATTRIBUTES", "service.name=web-1,team=growth")
    served = project.serve()

    with served.client as client:
        told = client.post(
            f"/visitors/k/{site}/events", json={"visitor": "ada-lovelace", "type": "seen", "data": {}}
        )
        client.headers["Authorization"] = f"Bearer {author}"
        traceparent = {"traceparent": f"00-{ASKED}-b7ad6b7169203331-01"}
        ran = client.post(
            "/v1/experiences/calls/run?q=ada-lovelace", json={"visitor": "ada-lovelace"}, headers=traceparent
        )
    assert served.end() == 0

    assert told.status_code == 200, told.text
    assert ran.json()["outcome"] == "ran", ran.text
    spans = other_side.spans()
    request = spans["POST /v1/experiences/{name}/run"]
    run, attempt = spans["run calls"], spans["attempt webhook"]
    assert "POST /visitors/k/{site_key}/events" in spans
    assert [link.trace_id.hex() for link in request.links] == [ASKED]
    assert request.trace_id.hex() != ASKED  # a stranger decides nothing about ours
    assert (run.trace_id, run.parent_span_id) == (request.trace_id, request.span_id)
    assert {attempt.trace_id} < {link.trace_id for link in run.links}
    assert len(run.links) == 2  # what was executed, and what is scheduled
    (parent,) = other_side.parents
    assert parent is not None
    assert parent.split("-")[1:3] == [attempt.trace_id.hex(), attempt.span_id.hex()]
    numbers, about = other_side.numbers()
    assert set(numbers) == {name.removesuffix("_total") for name in reference()}
    ran_route = {"route": "/v1/experiences/{name}/run", "status": "200"}
    assert [point.as_double for point in points(numbers["experience_http_requests"], **ran_route)] == [1]
    (took,) = points(numbers["experience_attempt_seconds"], integration="webhook", outcome="succeeded")
    assert (took.count, sum(took.bucket_counts)) == (1, 1)
    assert len(took.bucket_counts) == len(took.explicit_bounds) + 1
    assert 0 < took.sum < 60
    assert points(numbers["experience_executions"], status="pending")[0].as_double == 1
    assert about["service.name"] == "web-1"
    assert about["team"] == "growth"
    assert about["service.instance.id"]
    everything = b"".join(body for bodies in other_side.exported.values() for body in bodies)
    for hidden in (site, author, "4111", "lovelace", other_side.url, "/hook"):
        assert hidden.encode() not in everything, hidden


def test_without_a_collector_nothing_is_loaded_or_sent(project: Project) -> None:
    """Off unless a variable says to whom: the packages are not even imported."""
    code = (
        "import sys; from experience_runtime.cli.telemetry import telemetry\n"
        "with telemetry(): print([name for name in sys.modules if 'opentelemetry' in name])"
    )

    assert project.python(code) == "[]\n"
