"""Gauges: how the store and this process stand, in the families that Prometheus reads."""

from collections.abc import Iterator, Mapping, Sequence

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

from experience_runtime import __version__
from experience_runtime.engine.standing import Standing
from experience_runtime.runtime.standing import Process

Family = CounterMetricFamily | GaugeMetricFamily


class Gauges:
    """A collector of one instant."""

    def __init__(self, standing: Standing, process: Process) -> None:
        self._standing = standing
        self._process = process

    def collect(self) -> Iterator[Family]:
        yield from self._of_executions()
        yield from self._of_the_store()
        yield from self._of_this_process()

    def _of_executions(self) -> Iterator[Family]:
        standing, overview = self._standing, self._standing.overview
        yield _gauge(
            "experience_executions",
            "Executions by state.",
            ["status"],
            {(status.value,): count for status, count in overview.counts.items()},
        )
        backlog, names = overview.backlog, ["integration"]
        yield _gauge(
            "experience_backlog",
            "Pending executions nobody has claimed.",
            names,
            {(each.integration,): each.pending for each in backlog},
        )
        yield _gauge(
            "experience_backlog_due",
            "Those of them that are due.",
            names,
            {(each.integration,): each.due for each in backlog},
        )
        late: dict[tuple[str, ...], float] = {
            (each.integration, standing.held(each.integration)): max(
                0.0, (standing.now - each.first_due_at).total_seconds() if each.due else 0.0
            )
            for each in backlog
        }
        yield _gauge(
            "experience_lag_seconds",
            "How long the oldest due execution has waited past its time, and what holds it.",
            ["integration", "held"],
            late,
        )
        yield _gauge(
            "experience_oldest_running_seconds",
            "How long the attempt that runs longest has run.",
            names,
            {
                (each.integration,): max(0.0, (standing.now - each.since).total_seconds())
                for each in overview.running
            },
        )
        yield _gauge(
            "experience_held_by_pace",
            "Receivers that are not called now, for their pace.",
            names,
            {(integration,): count for integration, count in standing.held_by_pace.items()},
        )

    def _of_the_store(self) -> Iterator[Family]:
        standing = self._standing
        fires_at = standing.fires_at
        late = 0.0 if fires_at is None else max(0.0, (standing.now - fires_at).total_seconds())
        yield GaugeMetricFamily(
            "experience_schedule_lag_seconds",
            "How long the recurring schedule that is due longest has waited.",
            value=late,
        )
        yield GaugeMetricFamily(
            "experience_held", "1 while everything is held, else 0.", value=int(standing.is_held)
        )
        yield GaugeMetricFamily(
            "experience_workers", "Workers that deliver from the store now.", value=standing.workers
        )
        yield GaugeMetricFamily(
            "experience_database_bytes", "What the database takes on its disk.", value=standing.bytes
        )
        removed = CounterMetricFamily(
            "experience_pruned", "What was removed because it was kept long enough.", labels=["kind"]
        )
        for kind, count in standing.pruned.items():
            removed.add_metric([kind], count)
        yield removed

    def _of_this_process(self) -> Iterator[Family]:
        yield GaugeMetricFamily(
            "experience_stuck_calls",
            "Calls of this process that were given up at their deadline and have not ended.",
            value=self._process.stuck,
        )
        sizes = self._process.sandboxes
        yield _gauge(
            "experience_sandbox_processes",
            "Processes of this process's sandbox.",
            ["state"],
            {} if sizes is None else {("idle",): sizes[0], ("busy",): sizes[1]},
        )
        yield _gauge("experience_build_info", "The version that runs: 1.", ["version"], {(__version__,): 1})


def _gauge(
    name: str, text: str, labels: Sequence[str], values: Mapping[tuple[str, ...], float]
) -> GaugeMetricFamily:
    family = GaugeMetricFamily(name, text, labels=labels)
    for found, value in values.items():
        family.add_metric(found, value)
    return family
