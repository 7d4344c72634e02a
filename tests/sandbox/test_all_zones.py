"""Local time of every zone is what zoneinfo says by the same rules: around each change of 2025 to 2037."""

from bisect import bisect_right
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib.resources import files
from zoneinfo import ZoneInfo

from experience_runtime.domain.offset_table import offset_table
from experience_runtime.domain.visitors import Visitor
from experience_runtime.domain.zones import iana_zone, zone_names

from tests.conftest import Lab

FIRST, LAST = (int(datetime(year, 1, 1, tzinfo=UTC).timestamp()) for year in (2025, 2038))
WEEK = 7 * 86400
PROGRAM = (
    "const pairs = options.data.pairs, wrong = []\n"
    "for (const [at, offset] of pairs) {\n"
    "  const date = new Date(at * 1000), local = new Date((at + offset * 60) * 1000)\n"
    "  const said = [-date.getTimezoneOffset(), date.getDate(), date.getHours(), date.getMinutes()].join()\n"
    "  const right = [offset, local.getUTCDate(), local.getUTCHours(), local.getUTCMinutes()].join()\n"
    "  if (said !== right) wrong.push(at + ': ' + said + ', not ' + right)\n"
    "}\n"
    "options.log.info(pairs.length + ' ' + wrong.join('; '))"
)


def offset(zone: ZoneInfo, at: int) -> int:
    """Minutes ahead of UTC at a Unix time."""
    ahead = datetime.fromtimestamp(at, zone).utcoffset()
    assert ahead is not None
    return int(ahead.total_seconds() // 60)


def around_changes(zone: ZoneInfo) -> Iterator[int]:
    """The last minute before each change and the first after it, and every new year."""
    yield from (int(datetime(year, 1, 1, tzinfo=UTC).timestamp()) for year in range(2025, 2038))
    offsets = [offset(zone, week) for week in range(FIRST, LAST, WEEK)]
    for index, week in enumerate(range(FIRST, LAST - WEEK, WEEK)):
        if offsets[index] == offsets[index + 1]:
            continue
        before, after = week, week + WEEK
        while after - before > 60:
            middle = (before + after) // 120 * 60
            if offset(zone, middle) == offsets[index]:
                before = middle
            else:
                after = middle
        yield from (before, after)


def told_by_table(name: str, at: int) -> int:
    """What the table says that a run is given."""
    table = offset_table(iana_zone(name))
    return table[2 * bisect_right(table[1::2], at // 60)]


def test_local_time_of_every_zone_is_what_the_pinned_rules_say(lab: Lab) -> None:
    rules: dict[bytes, str] = {}  # zones of the same rules are one
    for name in zone_names():
        rules.setdefault(files("tzdata").joinpath("zoneinfo", *name.split("/")).read_bytes(), name)
    compared: dict[tuple[tuple[int, int], ...], str] = {}
    for name in rules.values():
        with files("tzdata").joinpath("zoneinfo", *name.split("/")).open("rb") as file:
            zone = ZoneInfo.from_file(file, key=name)
        pairs = tuple((at, offset(zone, at)) for at in around_changes(zone))
        assert [told_by_table(name, at) for at, _ in pairs] == [ahead for _, ahead in pairs], name
        compared[pairs] = name
    wrong = {}
    for pairs, name in compared.items():  # a run for each table that differs in these years
        said = lab.says(PROGRAM, data={"pairs": pairs}, visitor=Visitor(id="ada", timezone=name))
        count, _, differing = said[0].partition(" ")
        assert int(count) == len(pairs)
        if differing:
            wrong[name] = differing

    print(f"{len(rules)} zones, {sum(map(len, compared))} instants in {len(compared)} runs")
    assert wrong == {}
    assert len(compared) > 60
