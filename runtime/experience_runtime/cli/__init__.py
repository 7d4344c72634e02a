"""The command line: `experience VERB`. Each verb's module is imported only when it is called for."""

import importlib
import sys

import click

from experience_runtime import __version__
from experience_runtime.cli.collecting import look_seldom
from experience_runtime.cli.common import Verbs

_VERBS: dict[str, tuple[str, str]] = {
    "new": ("new:new", "Begin an experience: a folder with all it needs."),
    "run": ("run:run", "Run an experience for real, into the store."),
    "simulate": ("simulate:simulate", "Show what would happen, when and why; nothing leaves."),
    "test": ("test:test", "Play every story below a folder, a line each."),
    "backtest": ("backtest:backtest", "Play what visitors did through a version, before it is released."),
    "dev": ("dev:dev", "Check and play on each save, beside a playground."),
    "types": ("types:types", "Print the types and schemas that an editor needs."),
    "check": ("check:check", "Parse an experience without running it."),
    "explain": ("explain:explain", "Show when a delay or time and a window would run, and why."),
    "worker": ("worker:worker", "Deliver what is due, until stopped."),
    "workers": ("workers:workers", "List the workers that deliver."),
    "serve": ("serve:serve", "Serve the HTTP API and the pages, and deliver what is due."),
    "tokens": ("tokens:tokens", "Create, list and revoke what callers of the API show."),
    "release": ("release:release", "Check an experience, keep its files, and let visitors have it."),
    "releases": ("releases:releases", "List, compare and activate releases, and go back."),
    "traffic": ("traffic:traffic", "Show how the variations of an experience did."),
    "executions": ("executions:executions", "List, show, cancel, restore and replay executions."),
    "agenda": ("agenda:agenda", "Show what goes out on a day, by a zone's clock."),
    "runs": ("runs:runs", "List, show and follow runs of experiences."),
    "why": ("why:why", "Say what happened to a visitor, and why they got nothing."),
    "schedules": ("schedules:schedules", "Set, list, pause, run, remove and restore recurring schedules."),
    "audit": ("audit:audit", "Show who changed what, when and from where."),
    "convert": ("convert:convert", "Record a conversion of a visitor."),
    "visitors": ("visitors:visitors", "Show, export and erase visitors, and say which ids are one person."),
    "integrations": ("integrations:integrations", "List, check and call integrations."),
    "settings": ("settings:settings", "Make a key for settings in the database, and change to another one."),
    "alerts": ("alerts:alerts", "List what people are told of, and try it."),
    "webhooks": ("webhooks:webhooks", "List which programs are told of state changes, and try it."),
    "hold": ("hold_all:hold", "Hold all deliveries, of every worker."),
    "resume": ("hold_all:resume", "Let deliveries go on."),
    "migrate": ("migrate:migrate", "Make or upgrade the tables of a database; copy a file into one."),
    "purge": ("purge:purge", "Remove what was over long ago."),
    "backup": ("backup:backup", "Copy a SQLite database while it is in use."),
    "restore": ("restore:restore", "Put a backup in the place of a SQLite database."),
    "doctor": ("doctor:doctor", "Check this installation, and say what to mend."),
}


NO_WINDOWS = (
    "Windows has neither the file locks nor the limits of processes that deliveries and the sandbox need; "
    "run it in WSL2, or in a container (deploy/Dockerfile)."
)


class _Main(Verbs):
    """A group that knows its verbs' names and one-line helps without importing them."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's
        return list(_VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click's
        if cmd_name not in _VERBS:
            return None
        if sys.platform == "win32":
            raise click.ClickException(NO_WINDOWS)
        module, _, name = _VERBS[cmd_name][0].partition(":")
        command = getattr(importlib.import_module(f"experience_runtime.cli.{module}"), name)
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - click's
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in _VERBS.items()])


@click.group(
    cls=_Main,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="""\b
Examples:
  experience new my-experience
  experience simulate my-experience
  experience run my-experience --visitor v1 --timezone Europe/Paris
  experience worker
  experience explain --delay "3 hours" --window-time 09:00-17:00 --timezone America/New_York
""",
)
@click.version_option(__version__, prog_name="experience")
def main() -> None:
    """Run experience files safely, and deliver what they schedule, on time and once."""
    look_seldom()
