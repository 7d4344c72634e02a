"""Telemetry of numbers: what `/metrics` tells, exported over OTLP as it stands, under the same names."""

import logging
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from threading import Thread
from typing import TYPE_CHECKING, Any

from experience_runtime import __version__
from experience_runtime.cli.telemetry import destination, resource, tell_missing
from experience_runtime.domain.errors import ExperienceError
from experience_runtime.runtime import Runtime
from experience_runtime.runtime.looking import looking
from experience_runtime.runtime.standing import process_of, standing_of
from experience_runtime.web.metrics import Metrics

if TYPE_CHECKING:
    from prometheus_client.metrics_core import Metric as Family
    from prometheus_client.samples import Sample

_EVERY = "OTEL_METRIC_EXPORT_INTERVAL"
_EVERY_MS = 60_000
_LAST_SECONDS = 5  # a collector that does not answer holds up no end

_logger = logging.getLogger("experience_runtime")


@contextmanager
def exporting_numbers(runtime: Runtime, metrics: Metrics) -> Iterator[None]:
    """Export this process's numbers meanwhile, where a variable says to whom, and once more at the end."""
    variable = destination("METRICS")
    if variable is None:
        yield
        return
    try:
        from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
    except ImportError:
        tell_missing(variable, "numbers")
        yield
        return
    exporter, of_process, began_at = OTLPMetricExporter(), resource(), runtime.clock.now()

    def export() -> None:
        try:
            families = metrics.families(standing_of(runtime), process_of(runtime))
        except ExperienceError as error:
            _logger.error("the numbers could not be read: %s", error.message)
            return
        now = runtime.clock.now()
        exporter.export(as_data(families, resource=of_process, began_at=began_at, now=now))

    try:
        with looking(runtime, export, name="numbers", every=_interval()):
            yield
        last = Thread(target=export, name="numbers", daemon=True)
        last.start()
        last.join(_LAST_SECONDS)
    finally:
        exporter.shutdown()


def _interval() -> timedelta:
    text = os.environ.get(_EVERY, "")
    try:
        milliseconds = int(text)
    except ValueError:
        milliseconds = 0
    if milliseconds <= 0:
        if text:
            _logger.warning("%s is not a number of milliseconds: every %d are taken", _EVERY, _EVERY_MS)
        milliseconds = _EVERY_MS
    return timedelta(milliseconds=milliseconds)


def as_data(families: Iterable["Family"], *, resource: Any, began_at: datetime, now: datetime) -> Any:
    """The families of Prometheus as `MetricsData` of OpenTelemetry's SDK; counters began at `began_at`."""
    from opentelemetry.sdk.metrics.export import MetricsData, ResourceMetrics, ScopeMetrics
    from opentelemetry.sdk.util.instrumentation import InstrumentationScope

    started, ended = (int(each.timestamp() * 1_000_000) * 1000 for each in (began_at, now))
    made = [_metric(family, started, ended) for family in families]
    scope = ScopeMetrics(InstrumentationScope("experience_runtime", __version__), made, "")
    return MetricsData([ResourceMetrics(resource, [scope], "")])


def _metric(family: "Family", started: int, ended: int) -> Any:
    from opentelemetry.sdk.metrics.export import (
        AggregationTemporality,
        Gauge,
        Histogram,
        Metric,
        NumberDataPoint,
        Sum,
    )

    cumulative = AggregationTemporality.CUMULATIVE
    data: Any
    if family.type == "histogram":
        series = _series(family.samples)
        data = Histogram([_histogram_point(of, started, ended) for of in series.values()], cumulative)
    else:
        points = [
            NumberDataPoint(
                dict(each.labels), started if family.type == "counter" else 0, ended, float(each.value)
            )
            for each in family.samples
        ]
        data = Gauge(points) if family.type == "gauge" else Sum(points, cumulative, is_monotonic=True)
    return Metric(family.name, family.documentation, "s" if family.name.endswith("_seconds") else "", data)


def _series(samples: Iterable["Sample"]) -> Mapping[tuple[tuple[str, str], ...], list["Sample"]]:
    """The samples of a histogram by the labels of their series."""
    series: dict[tuple[tuple[str, str], ...], list[Sample]] = {}
    for each in samples:
        key = tuple((name, value) for name, value in sorted(each.labels.items()) if name != "le")
        series.setdefault(key, []).append(each)
    return series


def _histogram_point(samples: list["Sample"], started: int, ended: int) -> Any:
    from opentelemetry.sdk.metrics.export import HistogramDataPoint

    upto = {float(each.labels["le"]): int(each.value) for each in samples if each.name.endswith("_bucket")}
    counts = list(upto.values())  # each counts those below it as well
    (total,) = (each for each in samples if each.name.endswith("_sum"))
    unknown: Any = None
    return HistogramDataPoint(
        attributes=dict(total.labels),
        start_time_unix_nano=started,
        time_unix_nano=ended,
        count=counts[-1],
        sum=total.value,
        bucket_counts=[later - before for before, later in zip([0, *counts], counts, strict=False)],
        explicit_bounds=list(upto)[:-1],
        min=unknown,
        max=unknown,
    )
