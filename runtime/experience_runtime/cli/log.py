"""The log on stderr, for people or for programs: without secrets, payloads and lines that strangers made."""

import functools
import logging
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import click
from pythonjsonlogger.json import JsonFormatter

from experience_runtime.cli.terminal import indented, visible
from experience_runtime.log_context import HIDDEN, asked, attempted, hiding
from experience_runtime.untrusted import spell

LEVELS = ("debug", "info", "warning", "error")

Redact = Callable[[str], str]


def logs(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add --log-format and --log-level, and log so while the verb runs; it takes `settings`."""

    @click.option(
        "--log-format",
        type=click.Choice(("text", "json")),
        default="text",
        show_default=True,
        help="Lines for people, or a JSON document each, for programs.",
    )
    @click.option(
        "--log-level",
        type=click.Choice(LEVELS),
        default="info",
        show_default=True,
        help="What is logged, at least; debug also has each request of pages that look again.",
    )
    @functools.wraps(command)
    def logging_so(*, log_format: str, log_level: str, settings: Any, **arguments: Any) -> Any:
        formatter = JsonLine(settings.redact) if log_format == "json" else TextLine(settings.redact)
        _to_stderr(formatter, logging.getLevelNamesMapping()[log_level.upper()])
        return command(settings=settings, **arguments)

    return logging_so


def log_of_a_verb(redact: Redact) -> None:
    """Warnings only, without instants: the verb itself tells what comes of its calls."""
    handler = _to_stderr(TextLine(redact, "%(levelname)s %(message)s"), logging.WARNING)
    handler.addFilter(lambda record: record.name != "experience_runtime.attempts")


def _to_stderr(formatter: logging.Formatter, level: int) -> logging.Handler:
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(formatter)
    logging.basicConfig(level=level, handlers=[handler], force=True)
    _quiet_libraries()
    return handler


def _quiet_libraries() -> None:
    """Leave out of the log what libraries say of each call, job and session: it would fill it."""
    for name in ("httpx2", "httpcore2", "asyncio"):  # the first two would write every address
        logging.getLogger(name).setLevel(logging.WARNING)
    logging.getLogger("procrastinate").setLevel(logging.CRITICAL)  # what it comes to, our own log tells
    logging.getLogger("psycopg").setLevel(logging.WARNING)
    logging.getLogger("psycopg.pool").setLevel(logging.ERROR)


class TextLine(logging.Formatter):
    """A line for people; who asked, where the line is about a request, stands at its end."""

    def __init__(self, redact: Redact, line: str = "%(asctime)s %(levelname)s %(message)s") -> None:
        super().__init__(line)
        self._redact = redact

    def formatTime(self, record: logging.LogRecord, datefmt: str | None = None) -> str:  # noqa: ARG002 - its own form
        return _instant(record)

    def format(self, record: logging.LogRecord) -> str:
        record.message = record.getMessage()
        record.asctime = self.formatTime(record)
        line = self.formatMessage(record)
        execution = (attempted.get() or {}).get("execution", "")
        if execution and str(execution) not in line:
            line += f" [{execution}]"
        if (now := asked.get()) is not None:
            line += f" [{now.request}{'' if now.caller is None else f' {now.caller}'}]"
        return "\n".join([visible(self._redact(line)), *(indented(each) for each in self._traces(record))])

    def _traces(self, record: logging.LogRecord) -> list[str]:
        traces = [self.formatException(record.exc_info)] if record.exc_info else []
        if record.stack_info:
            traces.append(self.formatStack(record.stack_info))
        return [hiding(self._redact(trace), getattr(record, HIDDEN, ())) for trace in traces]


class JsonLine(JsonFormatter):
    """A JSON document: time, level, logger, message, and what the line is about, each by its name."""

    def __init__(self, redact: Redact) -> None:
        super().__init__(
            "%(levelname)s %(name)s %(message)s",
            rename_fields={"levelname": "level", "name": "logger", "exc_info": "exception"},
            json_ensure_ascii=True,
        )
        self._redact = redact

    def add_fields(
        self, log_data: dict[str, Any], record: logging.LogRecord, message_dict: dict[str, Any]
    ) -> None:
        log_data["time"] = _instant(record)
        super().add_fields(log_data, record, message_dict)
        hidden = log_data.pop(HIDDEN, ())
        log_data.pop("color_message", None)  # uvicorn's second spelling, for terminals
        log_data |= {name: value for name, value in (attempted.get() or {}).items() if name not in log_data}
        if (now := asked.get()) is not None:
            log_data |= {"request": now.request, "token": now.caller}
        log_data["level"] = log_data["level"].lower()
        for name, value in list(log_data.items()):
            if value is None:
                del log_data[name]
            elif not isinstance(value, int | float):
                text = self._redact(spell(value))
                log_data[name] = hiding(text, hidden) if name == "exception" else text


def _instant(record: logging.LogRecord) -> str:
    at = datetime.fromtimestamp(record.created, UTC)
    return f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03d}Z"
