"""Reports for people: log lines, calls and executions; an error with an excerpt of the author's file."""

import json
import unicodedata
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from experience_runtime.cli.terminal import styled, styled_lines, visible
from experience_runtime.domain.values import shown
from experience_runtime.running.guest import Problem
from experience_runtime.running.report import Report
from experience_runtime.scripts.bundle import Bundle
from experience_runtime.scripts.loading import source_of

_LEVELS = {"error": "red", "warn": "yellow", "info": None, "debug": "bright_black", "trace": "bright_black"}
_EXCERPT_CHARS = 100
_SHOWN_METADATA = 100
_STATES = {"succeeded": "green", "failed": "red", "cancelled": "yellow", "running": "cyan", "pending": "blue"}


def show_report(
    report: Report,
    executions: Sequence[dict[str, Any]],
    *,
    path: Path,
    script: Bundle | None,
    verbose: bool = False,
) -> None:
    """Print a run for people.

    `script`, or else the file at `path`, gives the excerpt of an error.
    """
    for line in report.log:
        click.echo(log_line(line, verbose=verbose))
    for execution in executions:
        click.echo(execution_line(execution))
        for sentence in execution["why"]:
            click.echo(styled(f"        {sentence}", dim=True))
    if report.error is not None:
        show_problem(report.error, source=source_of(report.error, path, script), to_stderr=True)
    if report.outcome != "ran":
        click.echo(visible(f"{report.experience}: {report.outcome.replace('_', ' ')}"))


def log_line(line: Mapping[str, Any], *, verbose: bool = False) -> str:
    """One line of an experience's log; a message of several lines is indented."""
    return styled_lines(
        f"{line['level']:<5} {line['logger']}: {line['message']}{_metadata(line, verbose)}",
        fg=_LEVELS[line["level"]],
    )


def _metadata(line: Mapping[str, Any], verbose: bool) -> str:
    """What a log line says besides its message; cut, unless all of it is wanted."""
    metadata = line["metadata"]
    if not metadata or set(metadata) == {"stack"}:
        return ""
    return " " + (json.dumps(metadata, ensure_ascii=False) if verbose else shown(metadata, _SHOWN_METADATA))


def execution_line(execution: dict[str, Any]) -> str:
    state = styled(f"{execution['status']:<9}", fg=_STATES[execution["status"]])
    at = styled(f"{execution['due_at']}  {execution['due_local']}  ", fg=None)
    reason = f"  {visible(execution['reason'])}" if execution["reason"] else ""
    return f"{state} {at}{visible(execution['integration'])}  {execution['id']}{reason}"


def line_of(problem: Problem, *, said: str | None = None) -> str:
    """A problem in one line: its place, its code, or what is `said` instead, and its message."""
    numbers = [str(number) for number in (problem.line, problem.column) if number is not None]
    place = "" if problem.file is None else ":".join([problem.file, *numbers]) + ": "
    return f"{place}{said or problem.code}: {problem.message}"


def show_problem(
    problem: Problem, *, source: str = "", to_stderr: bool = False, is_warning: bool = False
) -> None:
    """Print a problem or a warning with its place; with the file's text, the line and a caret below."""
    line, colour = line_of(problem), "red"
    if is_warning:
        line, colour = line_of(problem, said="warning"), "yellow"
    click.echo(styled(line, fg=colour), err=to_stderr)
    lines = source.split("\n")
    if problem.line is not None and 1 <= problem.line <= len(lines):
        for line in _excerpt(lines[problem.line - 1], problem.column):
            click.echo(f"    {line}", err=to_stderr)


def _excerpt(line: str, column: int | None) -> list[str]:
    """A line, cut on both sides when it is long, and a caret under its column."""
    at = 0 if column is None else min(column - 1, len(line))
    start = max(0, at - _EXCERPT_CHARS // 2) if len(line) > _EXCERPT_CHARS else 0
    before, after = line[start:at], line[at : start + _EXCERPT_CHARS]
    left = ("…" if start else "") + visible(before.replace("\t", " "))
    right = visible(after.replace("\t", " ")) + ("…" if len(line) > start + _EXCERPT_CHARS else "")
    return [left + right] if column is None else [left + right, " " * _cells(left) + "^"]


def _cells(text: str) -> int:
    """How many cells of a terminal a text fills."""
    return sum(
        0 if unicodedata.combining(char) else 2 if unicodedata.east_asian_width(char) in "WF" else 1
        for char in text
    )
