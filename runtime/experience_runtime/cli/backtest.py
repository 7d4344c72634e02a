"""experience backtest: what visitors did, played through a version that is not released yet."""

import functools
import json
import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import click

from experience_runtime.cli.common import everywhere, print_json, say
from experience_runtime.cli.progress import counted
from experience_runtime.cli.terminal import visible
from experience_runtime.clocks import SystemClock
from experience_runtime.domain.admission import Policies
from experience_runtime.domain.durations import parse_delay
from experience_runtime.domain.errors import InvalidParameter
from experience_runtime.domain.instants import iso, parse_start
from experience_runtime.domain.releases import Release
from experience_runtime.domain.values import shown
from experience_runtime.proving.backtest import Backtest, play_all, prepared, sampled
from experience_runtime.proving.backtest_document import backtest_document, backtest_page
from experience_runtime.scripts.loading import name_of, prepare
from experience_runtime.settings.load import Settings
from experience_runtime.store.recorded import Recorded, open_recorded
from experience_runtime.web.pages.playground.form import LONGEST_ADDRESS, LONGEST_STORY, Play

_PLAYGROUND = re.compile(r"https?://[!-~]+")


@click.command(
    epilog="""\b
Examples:
  experience backtest my-experience
  experience backtest my-experience --since 7d --sample 1000 --page backtest.html
  experience backtest my-experience --name reminder --against 7 --stories differing
  experience backtest my-experience --against other-version"""
)
@click.argument("path", type=click.Path(exists=True, path_type=Path))
@click.option(
    "--since",
    default="30d",
    show_default=True,
    metavar="AGE",
    help="How far back the pages go that are played.",
)
@click.option("--until", metavar="TIME", help="Where the record ends. [default: now]")
@click.option(
    "--name",
    metavar="NAME",
    help="The experience it is a new version of. [default: the name of its file or folder]",
)
@click.option(
    "--against",
    metavar="NUMBER|live|NAME|PATH",
    help="The release to compare with, or another experience. [default: live, when something is]",
)
@click.option(
    "--sample", type=click.IntRange(min=1), metavar="N", help="Only so many visitors, the same each time."
)
@click.option("--variation", metavar="NAME", help="Which variation file; left out, the last by name.")
@click.option(
    "--page",
    metavar="FILE",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write a page with pictures too.",
)
@click.option(
    "--stories",
    metavar="DIR",
    type=click.Path(path_type=Path, file_okay=False),
    help="Write a story of each visitor shown as an example.",
)
@click.option(
    "--playground", metavar="ADDRESS", help="Link each example into the playground that is served there."
)
@functools.partial(everywhere, reads_strangers=True)
def backtest(
    path: Path,
    since: str,
    until: str | None,
    name: str | None,
    against: str | None,
    sample: int | None,
    variation: str | None,
    page: Path | None,
    stories: Path | None,
    playground: str | None,
    settings: Settings,
    as_json: bool,
) -> None:
    """Play what visitors did lately through PATH in virtual time, and count what would have come of it.

    Nothing is sent, and the database is only read. What visitors' browsers had was never kept: triggers that
    ask for cookies or the page's address find none.
    """
    if playground is not None and not _PLAYGROUND.fullmatch(playground):
        raise InvalidParameter(
            f"--playground {shown(playground)} is not the address of a server; write for instance "
            "http://127.0.0.1:8080, which `experience dev` shows"
        )
    now = SystemClock().now()
    ends_at = now if until is None else parse_start(until, now=now)
    asked = Backtest(
        experience=name or name_of(path),
        path=path,
        since=ends_at - timedelta(milliseconds=parse_delay(since)),
        until=ends_at,
        variation=variation,
    )
    prepare(path, variation=variation)
    policies = Policies(by_name=settings.policies())
    with open_recorded(settings.database) as recorded:
        asked = replace(asked, against=_against(against, asked, settings, recorded))
        if asked.against is not None:
            prepared(asked.against)
        persons = recorded.persons(asked.since)
        meant = sampled(persons, sample)
        nothing_recorded = None if persons else _why_none(recorded, asked.since)
        with counted("playing", len(meant)) as progress:
            played = play_all(_that_stores_nothing(settings), asked, recorded, meant, progress=progress)
    document = {
        **backtest_document(asked, played, policies, redact=settings.redact),
        "recorded": len(persons),
        "nothing_recorded": nothing_recorded,
    }
    if playground is not None:
        _link(document, playground)
    if page is not None:
        page.write_text(backtest_page(document), encoding="utf-8")
    written = [] if stories is None else _write_stories(document, stories)
    if as_json:
        print_json(document)
        return
    _show(document)
    for file in written:
        say(f"  {file}")


def _against(
    wanted: str | None, asked: Backtest, settings: Settings, recorded: Recorded
) -> Path | Release | None:
    """What to compare with. Raises InvalidParameter, and UnknownRelease for a number that there is not."""
    if wanted is not None and re.fullmatch("[0-9]{1,18}", wanted):
        return recorded.release(asked.experience, int(wanted))
    live = recorded.live()
    name = asked.experience if wanted in (None, "live") else wanted
    if (change := live.get(name)) is not None and change.active is not None:
        return recorded.release(name, change.active)
    at = settings.served.released.get(name) if change is None else None
    if at is not None and at.resolve() != asked.path.resolve():
        return at
    if wanted is None:
        return None
    if wanted != "live" and Path(wanted).exists():
        return Path(wanted)
    running = {each for each, change in live.items() if change.active is not None}
    there = ", ".join(sorted(running | settings.served.released.keys())) or "none"
    if wanted == "live":
        raise InvalidParameter(
            f"--against live: nothing of {shown(name)} is live; say with --name what it is a new version of. "
            f"Live are: {there}"
        )
    raise InvalidParameter(
        f"--against {shown(wanted)} is neither the number of a release nor `live`, nor an experience that is "
        f"live, nor a path; live are: {there}"
    )


def _why_none(recorded: Recorded, since: datetime) -> str:
    newest, runs = recorded.newest(since)
    if newest is not None:
        return f"the newest event is of {iso(newest)}; --since reaches further back"
    told = (
        "" if not runs else f"; there were {runs} runs, and what a run is given (--event, --data) is not kept"
    )
    return (
        f"no event of a visitor was ever recorded here{told}: they come from the snippet on the shop's pages "
        "and from POST /visitors/events, both of a server (`experience serve`) with this database"
    )


def _that_stores_nothing(settings: Settings) -> Settings:
    """The same for playing: whatever asked for the database by mistake would find none that lasts."""
    return replace(settings, database="sqlite:///:memory:")


def _link(document: Mapping[str, Any], playground: str) -> None:
    """Say of each example where it is played; None of a story that is too long for an address."""
    for each in [] if document["against"] is None else document["against"]["examples"]:
        told = json.dumps(each["story"], indent=2, ensure_ascii=False)
        each["playground"] = None
        if len(told) <= LONGEST_STORY:
            address = Play(experience=document["experience"], told=told).address()
            if len(address) <= LONGEST_ADDRESS:
                each["playground"] = f"{playground.rstrip('/')}/playground?s={address}"


def _write_stories(document: Mapping[str, Any], folder: Path) -> list[Path]:
    examples = [] if document["against"] is None else document["against"]["examples"]
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for number, each in enumerate(examples, 1):
        # ids come from anywhere
        name = re.sub(r"[^A-Za-z0-9_-]+", "-", each["visitor"])[:40]
        file = folder / f"{number:02d}-{name}.story.json"
        file.write_text(json.dumps(each["story"], indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        written.append(file)
    return written


def _show(document: Mapping[str, Any]) -> None:
    against = document["against"]
    say(
        f"{document['experience']}: {document['visitors']} of {document['recorded']} visitors, "
        f"{document['events']} events since {document['since']}"
    )
    if document["nothing_recorded"] is not None:
        say(f"  nothing to play: {document['nothing_recorded']}")
        return
    for name in ("scheduled", "delivered", "cancelled", "failed", "waiting"):
        live = "" if against is None else f"   ({against[name]} with {against['version']})"
        say(f"  {name:<10}{document[name]:>8}{live}")
    for reason, count in document["cancelled_by"].items():
        say(f"  cancelled for {visible(reason)}: {count}")
    for each in document["refused"]:
        say(f"  refused: {each['integration']}.{each['verb']} {each['code']}: {each['count']}")
    for what, count in document["failures"].items():
        say(f"  run failed: {visible(what)}: {count}")
    for code, count in document["unplayable"].items():
        say(f"  not played: {code}: {count} visitors")
    if document["left_out"]:
        say(f"  opened no page: {document['left_out']} visitors")
    if document["would_fail"]:
        say(f"  would fail, for want of settings: {', '.join(document['would_fail'])}")
    for each in document["peaks"]:
        rate = each["most_a_minute"]
        beyond = (
            "" if rate is None else f"; its rate allows {rate}" + (" (!)" if each["delivered"] > rate else "")
        )
        say(f"  fullest minute of {each['integration']}: {each['delivered']} at {each['at']}{beyond}")
    for each in document["per_visitor"]["most"][:1]:
        say(f"  most for one visitor: {each['delivered']} ({visible(each['visitor'])})")
    if against is None:
        say("  no live version to compare with; --against names one")
        return
    say(f"  different for {against['visitors_that_differ']} visitors")
    for each in against["examples"][:3]:
        for side, told in (("new", each["only_new"]), ("old", each["only_old"])):
            for one in told[:3]:
                say(
                    f"    {visible(each['visitor'])} {side:<4}"
                    f"{one['integration']} {visible(one['key'])} {one['due_at']} {one['status']}"
                )
        if each.get("playground"):
            say(f"    {visible(each['visitor'])}: {each['playground']}")
