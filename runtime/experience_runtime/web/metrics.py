"""Metrics: what Prometheus reads, in a registry of this process's own."""

from collections.abc import Iterator
from datetime import datetime

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Histogram,
    Metric,
    disable_created_metrics,
    generate_latest,
)

from experience_runtime.domain.executions import Execution, Status
from experience_runtime.engine.standing import Standing
from experience_runtime.runtime.standing import Process
from experience_runtime.web.gauges import Gauges

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

# when each counter began: as many series again, which nobody asks for
disable_created_metrics()  # type: ignore[no-untyped-call]

_LAG_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10, 60, 600, 3600)
_CALL_SECONDS = (0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
_REQUEST_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10)
_COMMIT_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5)


class Metrics:
    """Counts what this process does; how the store stands is read when it is asked for.

    It is the `Measures` of a process that serves or delivers.
    """

    def __init__(self) -> None:
        registry = self._registry = CollectorRegistry()
        self._requests = Counter(
            "experience_http_requests",
            "Requests answered.",
            ("method", "route", "status"),
            registry=registry,
        )
        self._request_seconds = Histogram(
            "experience_http_request_seconds",
            "From a request to the end of its answer.",
            ("method", "route"),
            buckets=_REQUEST_SECONDS,
            registry=registry,
        )
        self._refusals = Counter(
            "experience_refusals",
            "Requests, and parts of them, that were refused, by code.",
            ("code",),
            registry=registry,
        )
        self._told = Counter(
            "experience_events", "What was told of visitors, by kind.", ("kind",), registry=registry
        )
        self._attempts = Counter(
            "experience_attempts",
            "Attempts of this process that ended, by how.",
            ("integration", "outcome"),
            registry=registry,
        )
        self._attempt_seconds = Histogram(
            "experience_attempt_seconds",
            "From the start of an attempt to its end.",
            ("integration", "outcome"),
            buckets=_CALL_SECONDS,
            registry=registry,
        )
        self._lag = Histogram(
            "experience_due_to_start_seconds",
            "From an execution's time to the start of its attempt.",
            buckets=_LAG_SECONDS,
            registry=registry,
        )
        self._fired = Counter(
            "experience_schedule_instants",
            "Instants of recurring schedules that came, by what became of them.",
            ("outcome",),
            registry=registry,
        )
        self._commits = Histogram(
            "experience_commit_seconds",
            "From a write that was asked for to its commit.",
            buckets=_COMMIT_SECONDS,
            registry=registry,
        )
        self._sandbox = Counter(
            "experience_sandbox_cpu_seconds", "CPU that experiences used.", registry=registry
        )
        self._kills = Counter(
            "experience_sandbox_kills",
            "Processes of the sandbox that had to be ended in the middle of a run.",
            registry=registry,
        )
        self._runs = Counter(
            "experience_runs",
            "Runs that ended, by experience and how.",
            ("experience", "outcome"),
            registry=registry,
        )
        self._failed_runs = Counter(
            "experience_failed_runs",
            "Runs that failed, by experience and code: limits and errors.",
            ("experience", "code"),
            registry=registry,
        )
        self._refused = Counter(
            "experience_refused_calls",
            "Calls of experiences that were refused, by code.",
            ("experience", "code"),
            registry=registry,
        )

    def answered(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count a request; `route` is the pattern of its path, so that there are few."""
        self._requests.labels(method, route, status).inc()
        self._request_seconds.labels(method, route).observe(seconds)

    def attempted(self, execution: Execution, outcome: str, began_at: datetime, ended_at: datetime) -> None:
        """Count an attempt by its outcome; `execution` is as it was claimed."""
        self._attempts.labels(execution.integration, outcome).inc()
        took = (ended_at - began_at).total_seconds()
        self._attempt_seconds.labels(execution.integration, outcome).observe(max(0.0, took))
        if execution.status is Status.PENDING:  # an `execute` is due when it is made
            self._lag.observe(max(0.0, (began_at - execution.due_at).total_seconds()))

    def ran(self, outcome: str, cpu_seconds: float, *, experience: str, code: str | None = None) -> None:
        """Count a run of an experience, by a name that is served; "" for a simulation."""
        self._runs.labels(experience, outcome).inc()
        self._sandbox.inc(cpu_seconds)
        if code is not None:
            self._failed_runs.labels(experience, code).inc()

    def refused(self, experience: str, code: str) -> None:
        """Count a call of an experience that was refused."""
        self._refused.labels(experience, code).inc()

    def committed(self, seconds: float) -> None:
        self._commits.observe(seconds)

    def fired(self, outcome: str, count: int) -> None:
        self._fired.labels(outcome).inc(count)

    def told(self, kind: str) -> None:
        self._told.labels(kind).inc()

    def refused_request(self, code: str) -> None:
        self._refusals.labels(code).inc()

    def killed_sandbox(self) -> None:
        self._kills.inc()

    def families(self, standing: Standing, process: Process) -> Iterator[Metric]:
        """Everything, as Prometheus' own library has it."""
        yield from self._registry.collect()
        yield from Gauges(standing, process).collect()

    def text(self, standing: Standing, process: Process) -> bytes:
        """Everything as Prometheus reads it."""
        registry = CollectorRegistry()
        registry.register(Gauges(standing, process))
        return generate_latest(self._registry) + generate_latest(registry)
