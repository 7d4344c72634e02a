"""experience audit: who changed what."""

from datetime import datetime

import click

from experience_runtime.cli.common import Verbs, everywhere, print_json, say
from experience_runtime.cli.terminal import styled
from experience_runtime.clocks import SystemClock
from experience_runtime.documents.audit import differences
from experience_runtime.domain.audit import AuditFilter, check_action, check_kind
from experience_runtime.domain.errors import InvalidParameter
from experience_runtime.domain.instants import parse_time
from experience_runtime.runtime import Runtime
from experience_runtime.settings.load import Settings

_LONGEST = 120


@click.group(
    cls=Verbs,
    epilog="""\b
Examples:
  experience audit list
  experience audit list --kind schedule --object daily-digest""",
)
def audit() -> None:
    """Show who changed what, when and from where."""


@audit.command(
    "list",
    epilog="""\b
Examples:
  experience audit list
  experience audit list --actor "cli ada" --since 2026-03-01
  experience audit list --kind schedule --object daily-digest --json
  experience audit list --action revoke --csv >revoked.csv

Every change by hand has one entry, made with the change: executions cancelled, restored and replayed,
schedules and integrations, releases, tokens, visitors erased, what was purged; also calls, conversions and
one person's ids that somebody told by hand. An actor is a token's name, or "cli" and the name of the user who
typed. What programs send is not in it.""",
)
@click.option(
    "--kind",
    metavar="KIND",
    help="execution, schedule, integration, deliveries, experience, token, visitor, data.",
)
@click.option("--action", metavar="ACTION", help="cancel, set, pause, release, revoke, …")
@click.option("--actor", metavar="NAME", help="Only what this token or user changed.")
@click.option("--object", "object_", metavar="ID", help="Only changes of this execution, schedule, ….")
@click.option("--since", metavar="ISO", help="Only at this instant or later.")
@click.option("--until", metavar="ISO", help="Only before this instant.")
@click.option("--limit", type=click.IntRange(1, 1000), default=50, show_default=True, help="How many a page.")
@click.option("--cursor", metavar="CURSOR", help="Go on where the page before ended: its `next`.")
@click.option("--csv", "as_csv", is_flag=True, help="Print the newest 10,000 as CSV.")
@everywhere
def list_(
    kind: str | None,
    action: str | None,
    actor: str | None,
    object_: str | None,
    since: str | None,
    until: str | None,
    limit: int,
    cursor: str | None,
    as_csv: bool,
    settings: Settings,
    as_json: bool,
) -> None:
    """List changes, newest first."""
    if as_csv and as_json:
        raise InvalidParameter("--csv and --json are two forms of the same; leave one of them out")
    wanted = AuditFilter(
        kind=check_kind(kind),
        action=check_action(action),
        actor=actor,
        object=object_,
        since=_instant(since),
        until=_instant(until),
    )
    with Runtime(settings, to_look=True) as runtime:
        if as_csv:
            click.echo(runtime.lookup.audit.csv(wanted), nl=False)
            return
        page = runtime.lookup.audit.list(wanted, cursor=cursor, limit=limit)
    if as_json:
        print_json(page)
        return
    for each in page["entries"]:
        what = styled(f"{each['kind']} {each['action']}", bold=True)
        address = f" from {each['address']}" if each["address"] else ""
        click.echo(f"{each['at']}  {what}  " + styled(f"{each['object']}  by {each['actor']}{address}"))
        for name, before, after in differences(each):
            told = [_short(text) for text in (before, after) if text is not None]
            say(f"        {name}: {' -> '.join(told)}")
    if not page["entries"]:
        say("nothing was changed by hand, or nothing that is meant")
    if page["next"] is not None:
        say(f"more: --cursor {page['next']}")


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def _instant(text: str | None) -> datetime | None:
    return None if text is None else parse_time(text, now=SystemClock().now()).at
