"""Metrics: what Prometheus reads, in a registry of this process's own."""

from collections.abc import Iterator, Mapping
from datetime import datetime

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Histogram,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

from experience_runtime import __version__
from experience_runtime.domain.executions import Execution, Status
from experience_runtime.engine.standing import Standing

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

# when each counter began: as many series again, which nobody asks for
disable_created_metrics()  # type: ignore[no-untyped-call]

_LAG_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10, 60, 600, 3600)


class Metrics:
    """Counts what this process does; how the store stands is read when it is asked for."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "experience_http_requests",
            "Requests answered.",
            ("method", "route", "status"),
            registry=self._registry,
        )
        self._attempts = Counter(
            "experience_attempts",
            "Attempts of this process that ended, by how.",
            ("integration", "outcome"),
            registry=self._registry,
        )
        self._lag = Histogram(
            "experience_due_to_start_seconds",
            "From an execution's time to the start of its attempt.",
            buckets=_LAG_SECONDS,
            registry=self._registry,
        )
        self._sandbox = Counter(
            "experience_sandbox_cpu_seconds", "CPU that experiences used.", registry=self._registry
        )
        self._runs = Counter(
            "experience_runs",
            "Runs that ended, by experience and how.",
            ("experience", "outcome"),
            registry=self._registry,
        )
        self._refused = Counter(
            "experience_refused_calls",
            "Calls of experiences that were refused, by code.",
            ("experience", "code"),
            registry=self._registry,
        )

    def answered(self, method: str, route: str, status: int) -> None:
        """Count a request; `route` is the pattern of its path, so that there are few."""
        self._requests.labels(method, route, status).inc()

    def attempted(self, execution: Execution, outcome: str, began_at: datetime) -> None:
        """Count an attempt by its outcome; `execution` is as it was claimed."""
        self._attempts.labels(execution.integration, outcome).inc()
        if execution.status is Status.PENDING:  # an `execute` is due when it is made
            self._lag.observe(max(0.0, (began_at - execution.due_at).total_seconds()))

    def ran(self, outcome: str, cpu_seconds: float, *, experience: str) -> None:
        """Count a run of an experience, by a name that is served; "" for a simulation."""
        self._runs.labels(experience, outcome).inc()
        self._sandbox.inc(cpu_seconds)

    def refused(self, experience: str, code: str) -> None:
        """Count a call of an experience that was refused."""
        self._refused.labels(experience, code).inc()

    def text(self, standing: Standing, *, stuck: int) -> bytes:
        """Everything as Prometheus reads it."""
        registry = CollectorRegistry()
        registry.register(_Pruned(standing.pruned))
        registry.register(_Gauges(standing, stuck))
        return generate_latest(self._registry) + generate_latest(registry)


class _Pruned:
    """What was kept long enough and is removed, by all workers there ever were."""

    def __init__(self, pruned: Mapping[str, int]) -> None:
        self._pruned = pruned

    def collect(self) -> Iterator[CounterMetricFamily]:
        removed = CounterMetricFamily(
            "experience_pruned", "What was removed because it was kept long enough.", labels=["kind"]
        )
        for kind, count in self._pruned.items():
            removed.add_metric([kind], count)
        yield removed


class _Gauges:
    """How everything stands, as gauges."""

    def __init__(self, standing: Standing, stuck: int) -> None:
        self._standing = standing
        self._stuck = stuck

    def collect(self) -> Iterator[GaugeMetricFamily]:
        standing, overview = self._standing, self._standing.overview
        counts = GaugeMetricFamily("experience_executions", "Executions by state.", labels=["status"])
        for status, count in overview.counts.items():
            counts.add_metric([status.value], count)
        yield counts
        pending = GaugeMetricFamily(
            "experience_backlog", "Pending executions nobody has claimed.", labels=["integration"]
        )
        due = GaugeMetricFamily(
            "experience_backlog_due", "Those of them that are due.", labels=["integration"]
        )
        lag = GaugeMetricFamily(
            "experience_lag_seconds",
            "How long the oldest due execution has waited past its time, and what holds it.",
            labels=["integration", "held"],
        )
        for each in overview.backlog:
            pending.add_metric([each.integration], each.pending)
            due.add_metric([each.integration], each.due)
            waited = (standing.now - each.first_due_at).total_seconds() if each.due else 0.0
            lag.add_metric([each.integration, standing.held(each.integration)], max(0.0, waited))
        yield from (pending, due, lag)
        held = GaugeMetricFamily(
            "experience_held_by_pace",
            "Receivers that are not called now, for their pace.",
            labels=["integration"],
        )
        for integration, count in standing.held_by_pace.items():
            held.add_metric([integration], count)
        yield held
        yield GaugeMetricFamily(
            "experience_held", "1 while everything is held, else 0.", value=int(standing.is_held)
        )
        yield GaugeMetricFamily(
            "experience_workers", "Workers that deliver from the store now.", value=standing.workers
        )
        yield GaugeMetricFamily(
            "experience_stuck_calls",
            "Calls of this process that were given up at their deadline and have not ended.",
            value=self._stuck,
        )
        build = GaugeMetricFamily("experience_build_info", "The version that runs: 1.", labels=["version"])
        build.add_metric([__version__], 1)
        yield build
