"""experience agenda: what goes out on a day, by a zone's clock."""

import click

from experience_runtime.cli.common import everywhere, print_json, say
from experience_runtime.domain.filters import read_zone
from experience_runtime.domain.moments import read_day
from experience_runtime.runtime import Runtime
from experience_runtime.settings.load import Settings


@click.command(
    epilog="""\b
Examples:
  experience agenda
  experience agenda tomorrow --zone Europe/Paris
  experience agenda 2026-12-24 --zone America/New_York --json

DAY is today, tomorrow, yesterday or a date. What a schedule will add is counted apart: it is no execution
yet."""
)
@click.argument("day", default="today")
@click.option("--zone", metavar="ZONE", help="Whose day and clock. [default: UTC]")
@click.option("--limit", type=click.IntRange(1, 1000), default=50, show_default=True, help="How many a page.")
@click.option("--cursor", metavar="CURSOR", help="Go on where the page before ended: its `next`.")
@everywhere
def agenda(
    day: str, zone: str | None, limit: int, cursor: str | None, settings: Settings, as_json: bool
) -> None:
    """Show what goes out on DAY: pending executions, and the instants of recurring schedules."""
    clock = read_zone(zone)
    with Runtime(settings, to_look=True) as runtime:
        now = runtime.clock.now()
        document = runtime.lookup.agenda.of(
            read_day(day, zone=clock, now=now), clock, now=now, cursor=cursor, limit=limit
        )
    if as_json:
        print_json(document)
        return
    say(f"{document['day']}, {document['zone']}: {_both(document)}")
    if document["late"]:
        say(f"{document['late']} that were due before wait still")
    if not document["is_whole"]:
        say(f"schedules have more instants than the {document['instants']:,} that were counted")
    for each in document["integrations"]:
        say(f"  {each['integration']}  {_both(each)}" + (f"; {each['held']}" if each["held"] else ""))
    for each in document["hours"]:
        say(f"  {each['hour']}  {_both(each)}")
    for entry in document["entries"]:
        what = (entry["execution"] or "", f"schedule {entry['schedule']}" if entry["schedule"] else "")
        whom = f"visitor {entry['visitor']}" if entry["visitor"] else ""
        named = [text for text in (*what, whom) if text]
        say(f"{entry['local'][11:19]}  {entry['integration']}  {'  '.join(named)}")
    if document["next"] is not None:
        say(f"more: --cursor {document['next']}")


def _both(counts: dict[str, int]) -> str:
    executions, instants = counts["executions"], counts["instants"]
    return (
        f"{executions:,} execution{'' if executions == 1 else 's'}, "
        f"{instants:,} instant{'' if instants == 1 else 's'} of schedules"
    )
