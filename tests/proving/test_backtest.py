"""experience backtest: recorded visitors through a version, counted again here without any of its parts."""

import json
import random
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from experience_runtime.cli import main
from experience_runtime.domain.visitor_events import VisitorEvent
from experience_runtime.domain.visitors import Visitor
from experience_runtime.engine.stores import Store
from experience_runtime.store.opening import open_postgres, open_sqlite
from experience_runtime.web.pages.playground.form import read_play

from tests.support.postgres import shared

UNTIL = datetime(2026, 3, 31, 12, tzinfo=UTC)
SINCE = UNTIL - timedelta(days=10)
BOUGHT = "shop.ecBasketTransactionSummary"
VISITORS = 120
"""More than one process takes alone."""

VERSION = """
module.exports = async function variation (options) {
  const webhook = options.integration('webhook')
  await webhook.schedule({ url: 'https://shop.example', visitor: options.meta.visitorId },
    { key: 'reminder', delay: 'DELAY', cancelOnConversion: true })
REFUSED}
"""
REFUSED = """\
  await webhook.schedule({ url: 'https://shop.example' }, { key: 'past', delay: '-1 hour' }).catch(() => {})
"""


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def _backtest(*words: str) -> Any:
    said = CliRunner().invoke(
        main, ["backtest", "version", "--since", "10 days", "--until", UNTIL.isoformat(), "--json", *words]
    )
    assert said.exit_code == 0, said.output
    return json.loads(said.stdout)


def _version(name: str, delay: str, *, refused: str = REFUSED) -> None:
    folder = Path(name)
    folder.mkdir(exist_ok=True)
    (folder / "variation.js").write_text(
        VERSION.replace("DELAY", delay).replace("REFUSED", refused), encoding="utf-8"
    )


def _record(
    visitors: int = VISITORS, opened: Callable[[], Store] | None = None
) -> dict[str, list[tuple[datetime, str]]]:
    """Visitors who look and buy at times that are drawn once; some did before the window, some only then."""
    chance = random.Random(16)
    told: dict[str, list[tuple[datetime, str]]] = {}
    store = (opened or _sqlite)()
    for number in range(visitors):
        visitor, at = f"v{number:03d}", UNTIL - timedelta(days=chance.choice([3, 9, 10, 12]))
        store.remember_visitor(Visitor(id=visitor, timezone="Europe/Paris"), now=at)
        told[visitor] = []
        for _ in range(chance.randrange(1, 5)):
            at += timedelta(minutes=chance.choice([0, 1, 59, 60, 61, 300]))
            told[visitor].append((at, chance.choice(["ecView", "ecView", "ecProduct", BOUGHT])))
        for moment, event_type in told[visitor]:
            store.events.record(
                VisitorEvent(visitor=visitor, type=event_type, data="{}", at=moment, received_at=moment)
            )
    store.close()
    return told


@dataclass
class Expected:
    """What a reminder an hour after each page comes to: a page replaces what waits, buying cancels it."""

    runs: int = 0
    replaced: int = 0
    bought: int = 0
    delivered: Counter[str] = field(default_factory=Counter)
    minutes: Counter[datetime] = field(default_factory=Counter)
    waiting: int = 0

    def play(self, visitor: str, events: list[tuple[datetime, str]], delay: timedelta) -> None:
        has_views = any(event_type == "ecView" for _, event_type in events)
        due: datetime | None = None
        before: datetime | None = None
        opened = [
            at
            for at, event_type, last in zip(
                *zip(*events, strict=True), [None, *(at for at, _ in events)], strict=False
            )
            if (event_type == "ecView" if has_views else last is None or at - last > timedelta(minutes=30))
        ]
        if not any(at >= SINCE for at in opened):
            return
        for at, event_type in events:
            if due is not None and due < at:
                self._deliver(visitor, due)
                due = None
            opens = (
                event_type == "ecView" if has_views else before is None or at - before > timedelta(minutes=30)
            )
            before = at
            if opens and at >= SINCE:
                self.runs += 1
                self.replaced += due is not None
                due = at + delay
            if event_type == BOUGHT and due is not None:
                self.bought += 1
                due = None
        if due is not None and due <= UNTIL:
            self._deliver(visitor, due)
        elif due is not None:
            self.waiting += 1

    def _deliver(self, visitor: str, due: datetime) -> None:
        self.delivered[visitor] += 1
        self.minutes[due.replace(second=0, microsecond=0)] += 1


def _expected(told: dict[str, list[tuple[datetime, str]]], delay: timedelta) -> Expected:
    expected = Expected()
    for visitor, events in told.items():
        expected.play(visitor, events, delay)
    return expected


def test_it_counts_what_would_have_come_of_recorded_visitors_and_writes_nothing() -> None:
    _version("version", "1 hour")
    _version("older", "3 days")
    told = _record()
    before = Path("experience.db").read_bytes()

    document = _backtest("--against", "older", "--page", "page.html", "--stories", "stories")

    assert Path("experience.db").read_bytes() == before
    new, old = _expected(told, timedelta(hours=1)), _expected(told, timedelta(days=3))
    assert document["runs"] == {"ran": new.runs}
    assert document["scheduled"] == new.runs
    assert document["delivered"] == new.delivered.total() > 0
    assert document["waiting"] == new.waiting
    assert document["cancelled_by"] == {"replaced": new.replaced, "conversion": new.bought}
    assert min(new.replaced, new.bought, old.waiting) > 0
    assert document["by_day"] == Counter(f"{minute:%Y-%m-%d}" for minute in new.minutes.elements())
    assert document["by_hour"] == [
        sum(count for minute, count in new.minutes.items() if minute.hour == hour) for hour in range(24)
    ]
    (peak,) = document["peaks"]
    assert peak["delivered"] == max(new.minutes.values())
    assert new.minutes[datetime.fromisoformat(peak["at"])] == peak["delivered"]
    assert document["per_visitor"]["most"][0]["delivered"] == max(new.delivered.values())
    assert document["refused"] == [
        {"integration": "webhook", "verb": "schedule", "code": "invalid_delay", "count": new.runs}
    ]
    live = document["against"]
    assert (live["delivered"], live["waiting"]) == (old.delivered.total(), old.waiting)
    assert live["visitors_that_differ"] > 0
    page = Path("page.html").read_text(encoding="utf-8")
    assert page.count("<rect") == len(document["by_day"]) + 24
    assert "<script" not in page


def test_an_example_is_a_story_that_comes_to_the_same() -> None:
    _version("version", "1 hour")
    _version("older", "3 days")
    _record(visitors=6)

    document = _backtest(
        "--against",
        "older",
        "--stories",
        "stories",
        "--page",
        "p.html",
        "--playground",
        "http://127.0.0.1:8080/",
    )

    example = document["against"]["examples"][0]
    (file,) = Path("stories").glob(f"01-{example['visitor']}.story.json")
    played = CliRunner().invoke(main, ["simulate", "version", "--story", str(file), "--json"])
    told = [(each["due_at"][:19], each["status"]) for each in json.loads(played.stdout)["executions"]]
    assert [(each["due_at"][:19], each["status"]) for each in example["only_new"]] == sorted(told)
    link = example["playground"]
    address = link.removeprefix("http://127.0.0.1:8080/playground?s=")
    assert (read_play(address).experience, read_play(address).story()) == ("version", example["story"])
    assert f'<a href="{link}">' in Path("p.html").read_text(encoding="utf-8")


def _release(database: str) -> None:
    said = CliRunner().invoke(main, ["release", "version", "--name", "reminder", "--database", database])
    assert said.exit_code == 0, said.output


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_the_release_that_runs_is_what_it_is_compared_with_or_the_one_that_is_asked_for(kind: str) -> None:
    database = "sqlite:///experience.db" if kind == "sqlite" else shared().database()
    told = _record(20, _sqlite if kind == "sqlite" else lambda: open_postgres(database))
    _version("version", "1 hour", refused="")
    _release(database)
    _version("version", "3 days", refused="")
    _release(database)
    _version("version", "2 hours")  # what is on the disk by now is what would be released next
    expected = {hours: _expected(told, timedelta(hours=hours)).delivered.total() for hours in (1, 2, 72)}

    with_live = _backtest("--name", "reminder", "--database", database)
    with_first = _backtest("--name", "reminder", "--database", database, "--against", "1")

    assert len(set(expected.values())) == 3
    assert {each["delivered"] for each in (with_live, with_first)} == {expected[2]}
    assert with_live["experience"] == "reminder"
    seen = [
        [each["against"][name] for name in ("version", "release", "delivered")]
        for each in (with_live, with_first, _backtest("--against", "reminder", "--database", database))
    ]
    assert seen == [
        ["release 2 of reminder", 2, expected[72]],
        ["release 1 of reminder", 1, expected[1]],
        ["release 2 of reminder", 2, expected[72]],
    ]
    assert _backtest("--database", database)["against"] is None
    for words, message in (
        (["--against", "9", "--name", "reminder"], "there is no release 9 of .*reminder"),
        (["--against", "live"], "nothing of .*version.* is live; .* Live are: reminder"),
        (["--against", "nothing"], r"--against .*nothing.* is neither the number .* live are: reminder"),
    ):
        refused = CliRunner().invoke(main, ["backtest", "version", "--database", database, *words])
        assert refused.exit_code == 2
        assert re.search(message, refused.output.replace("\n", " "))


def _sqlite() -> Store:
    return open_sqlite("experience.db")


def test_a_sample_is_the_same_visitors_each_time_and_ids_of_one_person_are_one() -> None:
    _version("version", "1 hour")
    told = _record(visitors=12)
    store = open_sqlite("experience.db")
    store.identify("v000", "v001", now=UNTIL)
    store.close()

    whole, one, again = _backtest(), _backtest("--sample", "4"), _backtest("--sample", "4")

    recent = {visitor for visitor, events in told.items() if events[-1][0] >= SINCE}
    assert whole["recorded"] == len({"v000" if visitor == "v001" else visitor for visitor in recent})
    assert {"v000", "v001"} <= recent
    assert one == again
    assert one["visitors"] + one["left_out"] == 4
    assert one["against"] is None


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--since", "soon"], r"soon"),
        (["--playground", "javascript:alert(1)"], r"is not the address of a server"),
        ([], r"there is no database .*experience\.db.* yet"),
    ],
)
def test_what_cannot_be_played_is_refused(words: list[str], said: str) -> None:
    _version("version", "1 hour")

    refused = CliRunner().invoke(main, ["backtest", "version", *words])

    assert refused.exit_code == 2
    assert re.search(said, refused.output.replace("\n", " "))
    assert not Path("experience.db").exists()


def test_where_nothing_is_recorded_it_says_why() -> None:
    def said(*words: str) -> str:
        return CliRunner().invoke(main, ["backtest", "version", "--since", "10 days", *words]).stdout

    _version("version", "1 hour", refused="")
    run = ["run", "version", "--visitor", "v", "--event", "ecView={}"]
    assert [CliRunner().invoke(main, run).exit_code for _ in range(2)] == [0, 0]
    assert (
        "  nothing to play: no event of a visitor was ever recorded here; there were 2 runs, and what a "
        "run is given (--event, --data) is not kept: they come from the snippet on the shop's pages and from"
    ) in said()

    _record(visitors=1)
    assert "  nothing to play: the newest event is of 2026-0" in said("--until", "2027-01-01T00:00:00Z")
    assert json.loads(said("--until", "2027-01-01T00:00:00Z", "--json"))["visitors"] == 0
