"""Telemetry: the spans of a process, exported over OTLP where the standard variables say to whom."""

import functools
import hashlib
import logging
import os
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from experience_runtime import __version__
from experience_runtime.tracing import Span, trace_with

_logger = logging.getLogger("experience_runtime")


@contextmanager
def telemetry() -> Iterator[None]:
    """Export the spans of this process meanwhile, where a variable says to whom; what is left, at the end."""
    variable = destination("TRACES")
    if variable is None:
        yield
        return
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError:
        tell_missing(variable, "traces")
        yield
        return
    provider = TracerProvider(resource=resource(), id_generator=_ids(), shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    trace_with(OpenTelemetry(provider))
    try:
        yield
    finally:
        provider.shutdown()


def tell_missing(variable: str, what: str) -> None:
    """Say that the extra is not installed which would export this."""
    _logger.warning(
        "%s is set, and no %s are exported: pip install 'experience-runtime[otel]'", variable, what
    )


def destination(signal: str) -> str | None:
    """The variable that says where `TRACES` or `METRICS` go; None where they go nowhere."""
    if os.environ.get("OTEL_SDK_DISABLED", "").lower() == "true":
        return None
    if os.environ.get(f"OTEL_{signal}_EXPORTER", "").lower() == "none":
        return None
    names = ("OTEL_EXPORTER_OTLP_ENDPOINT", f"OTEL_EXPORTER_OTLP_{signal}_ENDPOINT")
    return next((name for name in names if os.environ.get(name)), None)


@functools.cache
def resource() -> Any:
    """What is exported is of this process; whatever the standard variables say of it comes first."""
    from opentelemetry.sdk.resources import OTELResourceDetector, Resource

    ours = {
        "service.name": "experience-runtime",
        "service.version": __version__,
        "service.instance.id": str(uuid.uuid4()),  # two workers' counters are two series
    }
    return Resource.create(ours).merge(OTELResourceDetector().detect())


def trace_of(execution: str) -> int:
    """The trace of an execution: its attempts are in it, wherever and whenever they are made."""
    return int.from_bytes(hashlib.sha256(execution.encode()).digest()[:16], "big") or 1


_wanted: ContextVar[int | None] = ContextVar("trace", default=None)


def _ids() -> Any:
    from opentelemetry.sdk.trace.id_generator import RandomIdGenerator

    class Ids(RandomIdGenerator):
        def generate_trace_id(self) -> int:
            return _wanted.get() or int(super().generate_trace_id())

    return Ids()


class OpenTelemetry:
    """`tracing.Tracing` over a provider of the SDK."""

    def __init__(self, provider: Any) -> None:
        from opentelemetry import trace

        self._trace = trace
        self._tracer = provider.get_tracer("experience_runtime", __version__)

    @contextmanager
    def request(self, traceparent: str | None) -> Iterator[Span]:
        from opentelemetry.context import Context
        from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

        found = TraceContextTextMapPropagator().extract({"traceparent": traceparent or ""}, Context())
        came_with = self._trace.get_current_span(found).get_span_context()
        links = [self._trace.Link(came_with)] if came_with.is_valid else []
        with self._span("request", self._trace.SpanKind.SERVER, Context(), links) as span:
            yield span

    @contextmanager
    def run(self, experience: str) -> Iterator[Span]:
        with self._span(f"run {experience}", self._trace.SpanKind.INTERNAL) as span:
            span.note({"experience.name": experience})
            yield span

    @contextmanager
    def attempt(self, execution: str) -> Iterator[Span]:
        from opentelemetry.context import Context

        token = _wanted.set(trace_of(execution))
        try:
            with self._span("attempt", self._trace.SpanKind.CLIENT, Context()) as span:
                span.note({"experience.execution": execution})
                yield span
        finally:
            _wanted.reset(token)

    def headers(self) -> Mapping[str, str]:
        from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

        headers: dict[str, str] = {}
        TraceContextTextMapPropagator().inject(headers)
        return headers

    @contextmanager
    def _span(self, name: str, kind: Any, context: Any = None, links: Sequence[Any] = ()) -> Iterator[Span]:
        # what is raised may hold anything: only codes are kept
        with self._tracer.start_as_current_span(
            name, context, kind, links=links, record_exception=False, set_status_on_exception=False
        ) as span:
            yield _Span(span, self._trace)


class _Span:
    def __init__(self, span: Any, trace: Any) -> None:
        self._span = span
        self._trace = trace

    def name(self, name: str) -> None:
        self._span.update_name(name)

    def note(self, facts: Mapping[str, str | int]) -> None:
        self._span.set_attributes(facts)

    def fail(self, code: str) -> None:
        self._span.set_attribute("error.type", code)
        self._span.set_status(self._trace.StatusCode.ERROR)

    def link(self, executions: Sequence[str]) -> None:
        for each in executions:
            trace_id = trace_of(each)
            context = self._trace.SpanContext(trace_id, trace_id & 0xFFFFFFFFFFFFFFFF or 1, is_remote=True)
            self._span.add_link(context, {"experience.execution": each})
