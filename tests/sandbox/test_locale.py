"""Dates and numbers as texts for people: what a locale makes of them is what node says, or it is refused."""

import json
import os
import re
import shutil
import subprocess
from dataclasses import replace
from importlib.resources import files
from pathlib import Path

import pytest
from experience_runtime.scripts.names import SUPPORTED_LOCALES, UNORDERED_LOCALES

from tests.conftest import Lab
from tests.support.needs import lacking

HERE = Path(__file__).parent
PROGRAMS = ("locale.js", "locale_words.js", "locale_order.js")
DATA = HERE.parents[1] / "runtime/experience_runtime/sandbox/prelude/23_locale_data.js"
TEXT = DATA.read_text(encoding="utf-8")
LOCALES = re.findall(r"^    '([a-z]{2}-[A-Z]{2})': ", TEXT, re.MULTILINE)
VERSION = re.findall(r"from CLDR (\d+)", TEXT)


def said_by_node(program: str) -> str:
    node = shutil.which("node")
    if node is None:
        lacking("node is not installed: there is nothing to compare with")
    about = subprocess.run([node, "-p", "process.versions.cldr"], capture_output=True, check=True, text=True)
    if about.stdout.split(".")[0] not in VERSION:
        lacking(f"node has CLDR {about.stdout.strip()}, and the data is of CLDR {VERSION[0]}")
    environment = {**os.environ, "TZ": "Europe/Paris"}
    done = subprocess.run([node, "-e", program], capture_output=True, check=True, text=True, env=environment)
    return done.stdout


@pytest.mark.parametrize("name", PROGRAMS)
def test_it_is_what_node_says_or_refused(lab: Lab, name: str) -> None:
    text = (HERE / name).read_text(encoding="utf-8")
    known = [each for each in LOCALES if name != "locale_order.js" or each not in UNORDERED_LOCALES]
    program = f"{text}\nconsole.log(JSON.stringify({json.dumps(known)}.map(told)))"
    expected = json.loads(said_by_node(program))
    # a busy machine takes longer, and what is compared here is what is said
    lab = replace(lab, limits=replace(lab.limits, cpu_turn_seconds=20.0, cpu_run_seconds=20.0))
    wrong, refused, count = [], 0, 0
    for locale, lines in zip(known, expected, strict=True):
        placed = lab.bundle(
            f"{text}\nmodule.exports = o => {{ const all = told('{locale}')\n"
            "for (let n = 0; n < all.length; n += 40) o.log.info(JSON.stringify(all.slice(n, n + 40))) }"
        )
        report = lab.run(placed)
        assert report.outcome == "ran", report.error
        ours = [line for each in report.log for line in json.loads(each["message"])]
        for mine, theirs in zip(ours, lines, strict=True):
            count += 1
            refused += mine == "refused" != theirs
            if mine not in (theirs, "refused"):
                wrong.append((locale, mine, theirs))

    print(f"{len(known)} locales, {count} texts: {len(wrong)} differ, {refused} are refused")
    assert wrong[:20] == []
    assert refused < count / 20


@pytest.mark.slow  # node works half a minute; what it writes does not hang on the Python
def test_the_data_is_what_its_maker_writes() -> None:
    node = shutil.which("node")
    if node is None:
        lacking("node is not installed: the data cannot be made again")
    about = subprocess.run([node, "-p", "process.versions.cldr"], capture_output=True, check=True, text=True)
    if f"from CLDR {about.stdout.strip()}," not in TEXT:
        lacking(f"node has CLDR {about.stdout.strip()}, and the data is of another")
    zones = files("tzdata").joinpath("zones").read_text(encoding="ascii")
    for name in ("data", "words", "order"):
        maker = HERE / f"make_locale_{name}.js"
        made = subprocess.run([node, maker], capture_output=True, check=True, text=True, input=zones)

        assert made.stdout == DATA.with_name(f"23_locale_{name}.js").read_text(encoding="utf-8")


REFUSED = {
    "new Date().toLocaleDateString('de-DE', { era: 'short' })": "era is supported for en-US with a year",
    "new Date().toLocaleDateString('en-US', { era: 'short', month: 'long' })": "era is supported for en-US",
    "new Date(-1e14).toLocaleDateString('en-US', { era: 'short' })": "era is supported from the year 1 on",
    "new Date().toLocaleDateString('de-u-ca-buddhist')": 'the locale "de-u-ca-buddhist" is not supported',
    "new Date().toLocaleDateString('en-ZZ')": 'the locale "en-ZZ" is not supported; write one of en-US,',
    "new Date().toLocaleString('de-DE', { timeZone: 'Asia/' + 'Tokyo' })": (
        'timeZone "Asia/Tokyo" is not known in this run, which knows the zones that stand in its code or data'
    ),
    "new Date().toLocaleString('de-DE', { timeZone: 'Mars/Base' })": 'timeZone "Mars/Base" is not known',
    "new Date().toLocaleString('de-DE', { timeZoneName: 'longGeneric' })": (
        'timeZoneName "longGeneric" is not supported; write "short" or "long" or "shortOffset" or '
    ),
    "new Date(1.6e12).toLocaleString('de-DE', { timeZone: 'America/Ojinaga', timeZoneName: 'long' })": (
        'timeZoneName "long" is not supported for America/Ojinaga before 2023 and after 2037; write "shortOff'
    ),
    "new Date().toLocaleString('de-DE', { month: 'narrow' })": (
        'month "narrow" is not supported; write "numeric" or "2-digit" or "short" or "long"'
    ),
    "(5).toLocaleString('de-DE', { style: 'unit', unit: 'meter' })": 'unit "meter" is not supported',
    "(5).toLocaleString('de-DE', { style: 'currency', currency: 'XXX' })": (
        'the currency "XXX" is not supported for de-DE; write one of EUR, USD,'
    ),
    "(NaN).toLocaleString('de-DE', { style: 'currency', currency: 'EUR' })": "NaN is no amount of EUR",
    "new Intl.NumberFormat('fr-FR', { notation: 'scientific' })": (
        'notation "scientific" is not supported; write "standard" or "compact"'
    ),
    "new Intl.NumberFormat('fr-FR', { notation: 'compact', style: 'percent' })": (
        'notation "compact" is not supported for percents'
    ),
    "['b', 'a'].sort(new Intl.Collator('zh').compare)": (
        "the order of letters in zh-CN is not supported; write a locale of another language"
    ),
    "'a'.localeCompare('b', 'ja-JP')": "the order of letters in ja-JP is not supported",
    "'a'.localeCompare('\u6f22')": 'nothing here knows where "\u6f22" comes; compare with < and >',
    "'a'.localeCompare('\u0111', 'fi')": 'nothing here knows where "\u0111" comes',
    "'a'.localeCompare('\u1e09', 'pl')": 'nothing here knows where "c',
    "'a'.localeCompare('b', 'de', { usage: 'search' })": 'usage "search" is not supported; leave it out',
    "'a'.localeCompare('b', 'de', { sensitivity: 'none' })": (
        'sensitivity "none" is not supported; write "base" or "accent" or "case" or "variant"'
    ),
    "new Intl.PluralRules('xx')": 'the locale "xx" is not supported; write one of en-US,',
    "new Intl.RelativeTimeFormat('en').format(1, 'decade')": 'the unit "decade" is not supported; write "sec',
    "new Intl.RelativeTimeFormat('en').format('soon', 'day')": "NaN is no number of units",
    "new Intl.ListFormat('en', { type: 'and' })": (
        'type "and" is not supported; write "conjunction" or "disjunction" or "unit"'
    ),
    "'a'.toLocaleUpperCase('lt')": 'the locale "lt" is not supported',
}


@pytest.mark.parametrize(("text", "said"), REFUSED.items())
def test_what_is_not_known_is_refused(lab: Lab, text: str, said: str) -> None:
    problem = lab.fails(f"module.exports = () => {{ {text} }}")

    assert problem.message.startswith(f"RangeError: {said}")


def test_check_knows_the_locales_of_the_data() -> None:
    assert list(SUPPORTED_LOCALES) == LOCALES


def test_a_language_alone_a_list_and_no_locale_are_read(lab: Lab) -> None:
    body = (
        "const at = new Date(Date.UTC(2026, 2, 9)), say = (l) => options.log.info(at.toLocaleDateString(l))\n"
        "say(); say('de'); say('EN-gb'); say(['xx', 'fr-FR']); say('pt'); say('no')\n"
        "say('de-AT-u-ca-gregory-nu-latn'); options.log.info(at.toLocaleDateString('en', { era: 'short' }))"
    )

    assert lab.says(body) == [
        "3/9/2026",
        "9.3.2026",
        "09/03/2026",
        "09/03/2026",
        "09/03/2026",
        "9.3.2026",
        "9.3.2026",
        "3/9/2026 AD",
    ]


def test_what_a_guest_hangs_on_the_language_changes_no_text(lab: Lab) -> None:
    body = (
        "Object.prototype['-nnn'] = '{y}'; Object.prototype.weekday = undefined\n"
        "String.prototype.slice = String.prototype.toLowerCase = () => 'x'\n"
        "Number.prototype.toString = () => 'y'\n"
        "const at = new Date(Date.UTC(2026, 2, 9))\n"
        "options.log.info(at.toLocaleDateString('en-GB'), (1234.5).toLocaleString('de'))"
    )

    assert lab.says(body) == ["09/03/2026 1.234,5"]


ZONES = (
    "const zones = ['Asia/Tokyo', 'America/New_York', 'australia/lord_howe', 'Asia/Kathmandu',\n"
    "  'Europe/London', 'America/Argentina/Buenos_Aires', 'Africa/Cairo',\n"
    "  'Pacific/Apia', 'Etc/GMT+5', 'Asia/Kolkata']\n"
    "const instants = [1.6e12, 1.7e12, 1.711e12, 1.75e12, 1.8e12, 1.81e12]\n"
    "const told = () => zones.flatMap(timeZone => instants.map(at =>\n"
    "  new Date(at).toLocaleString('en-GB', { timeZone, dateStyle: 'full', timeStyle: 'medium' }) + ' ' +\n"
    "  new Date(at).toLocaleDateString('fr-FR', { timeZone })))\n"
)


def test_a_zone_that_the_code_names_is_what_node_says(lab: Lab) -> None:
    expected = json.loads(said_by_node(f"{ZONES}console.log(JSON.stringify(told()))"))

    report = lab.run(f"{ZONES}module.exports = o => o.log.info(JSON.stringify(told()))")

    assert report.outcome == "ran", report.error
    assert json.loads(report.log[0]["message"]) == expected
    assert len(expected) == 60


def test_a_zone_that_the_data_names_is_known(lab: Lab) -> None:
    body = "options.log.info(new Date(0).toLocaleTimeString('en-GB', { timeZone: options.data.zone }))"

    assert lab.says(body, data={"zone": "Asia/Tokyo"}) == ["09:00:00"]
