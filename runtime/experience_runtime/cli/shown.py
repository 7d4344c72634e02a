"""Reports for people: log lines, calls and executions; an error with an excerpt of the author's file."""

from collections.abc import Sequence
from typing import Any

import click

from experience_runtime.cli.common import styled, visible
from experience_runtime.ports import Problem
from experience_runtime.report import Report
from experience_runtime.sandbox.modules import Bundle

_LEVELS = {"error": "red", "warn": "yellow", "info": None, "debug": "bright_black", "trace": "bright_black"}
_STATES = {"succeeded": "green", "failed": "red", "cancelled": "yellow", "running": "cyan", "pending": "blue"}


def show_report(
    report: Report, executions: Sequence[dict[str, Any]], *, script: Bundle | None, to_stderr: bool
) -> None:
    """Print a run: on stdout for people, on stderr beside a JSON document.

    `script` gives the excerpt of an error.
    """
    for line in report.log:
        text = styled(f"{line['level']:<5} {line['logger']}: {line['message']}", fg=_LEVELS[line["level"]])
        click.echo(text, err=to_stderr)
    for execution in executions:
        click.echo(execution_line(execution), err=to_stderr)
        for sentence in execution["why"]:
            click.echo(styled(f"        {sentence}", dim=True), err=to_stderr)
    if report.error is not None:
        source = script.source(report.error.file) if script and report.error.file else ""
        show_problem(report.error, source=source, to_stderr=True)
    if report.outcome != "ran":
        click.echo(visible(f"{report.experience}: {report.outcome.replace('_', ' ')}"), err=to_stderr)


def execution_line(execution: dict[str, Any]) -> str:
    state = styled(f"{execution['status']:<9}", fg=_STATES[execution["status"]])
    at = styled(f"{execution['due_at']}  {execution['due_local']}  ", fg=None)
    reason = f"  {visible(execution['reason'])}" if execution["reason"] else ""
    return f"{state} {at}{visible(execution['integration'])}  {execution['id']}{reason}"


def show_problem(problem: Problem, *, source: str = "", to_stderr: bool = False) -> None:
    """Print a problem with its place; with the file's text, the line and a caret under the column."""
    place = ""
    if problem.file is not None and problem.line is not None:
        place = f"{problem.file}:{problem.line}:{problem.column}: "
    click.echo(styled(f"{place}{problem.code}: {problem.message}", fg="red"), err=to_stderr)
    lines = source.splitlines()
    if problem.line is not None and problem.column is not None and 1 <= problem.line <= len(lines):
        line = visible(lines[problem.line - 1].replace("\t", " "))
        click.echo(f"    {line}", err=to_stderr)
        click.echo("    " + " " * (problem.column - 1) + "^", err=to_stderr)
