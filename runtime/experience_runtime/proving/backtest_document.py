"""What a backtest came to, as its JSON document and as a page with pictures."""

import html
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from experience_runtime.documents.documents import Redact
from experience_runtime.domain.admission import Policies
from experience_runtime.domain.instants import from_ms, iso
from experience_runtime.domain.releases import Release
from experience_runtime.proving.backtest import Backtest, Backtested
from experience_runtime.proving.tally import Tally, Told

_HOUR_MS = 3_600_000
_MOST_VISITORS = 5
_WIDTH, _HEIGHT = 640, 120


def backtest_document(
    backtest: Backtest, played: Backtested, policies: Policies, *, redact: Redact
) -> dict[str, Any]:
    """The document of `backtest --json`; `examples` hold the story of each, to be played again.

    `redact` takes the secrets out of what was scheduled.
    """
    document = {
        "experience": backtest.experience,
        "since": iso(backtest.since),
        "until": iso(backtest.until),
        "visitors": played.new.visitors,
        "events": played.events,
        "left_out": played.left_out,
        "unplayable": dict(sorted(played.unplayable.items())),
        **_version(played.new, policies),
        "against": None,
    }
    if backtest.against is not None:
        compared = played.compared
        document["against"] = {
            "version": version_text(backtest.against),
            "release": backtest.against.number if isinstance(backtest.against, Release) else None,
            **_version(played.old, policies),
            "visitors_that_differ": compared.visitors,
            "only_new": compared.only_new,
            "only_old": compared.only_old,
            "examples": [
                {
                    "visitor": each.visitor,
                    "only_new": [_told(one, redact) for one in each.only_new],
                    "only_old": [_told(one, redact) for one in each.only_old],
                    "story": each.story,
                }
                for each in compared.examples
            ],
        }
    return document


def version_text(version: Path | Release) -> str:
    """What people call a version: `release 3 of reminder`, or the path it stands at."""
    if isinstance(version, Release):
        return f"release {version.number} of {version.experience}"
    return str(version)


def _version(tally: Tally, policies: Policies) -> dict[str, Any]:
    states = tally.executions
    return {
        "runs": dict(sorted(tally.runs.items())),
        "failures": dict(tally.failures.most_common()),
        "scheduled": states.total(),
        "delivered": states["succeeded"],
        "cancelled": states["cancelled"],
        "failed": states["failed"],
        "waiting": states["pending"],
        "cancelled_by": dict(tally.cancelled.most_common()),
        "refused": [
            {"integration": integration, "verb": verb, "code": code, "count": count}
            for (integration, verb, code), count in tally.refused.most_common()
        ],
        "would_fail": sorted(tally.would_fail),
        "by_day": days(tally),
        "by_hour": hours(tally),
        "peaks": [
            {
                "integration": integration,
                "at": iso(from_ms(minute * 60_000)),
                "delivered": count,
                "most_a_minute": _most_a_minute(policies, integration),
            }
            for integration, (minute, count) in sorted(tally.peaks().items())
        ],
        "per_visitor": {
            "visitors": len(tally.delivered_by),
            "most": [
                {"visitor": visitor, "delivered": count} for visitor, count in _first(tally.delivered_by)
            ],
        },
    }


def days(tally: Tally) -> dict[str, int]:
    """How many were delivered on each day in UTC, days without any left out."""
    found: Counter[str] = Counter()
    for hour, count in tally.hours.items():
        found[iso(from_ms(hour * _HOUR_MS))[:10]] += count
    return dict(sorted(found.items()))


def hours(tally: Tally) -> list[int]:
    """How many were delivered in each of the 24 hours of a day in UTC."""
    found = [0] * 24
    for hour, count in tally.hours.items():
        found[hour % 24] += count
    return found


def _first(counts: Counter[str]) -> list[tuple[str, int]]:
    return sorted(counts.items(), key=lambda each: (-each[1], each[0]))[:_MOST_VISITORS]


def _most_a_minute(policies: Policies, integration: str) -> int | None:
    policy = policies.of(integration)
    if policy.rate_count is None:
        return None
    return max(1, policy.rate_count * 60 // policy.rate_seconds)


def _told(one: Told, redact: Redact) -> dict[str, str]:
    return dict(zip(("integration", "key", "due_at", "payload", "status"), map(redact, one), strict=True))


def backtest_page(document: Mapping[str, Any]) -> str:
    """One HTML page without scripts or styles of others: it can be kept and sent on."""
    against = document["against"]
    rows = [("visitors", str(document["visitors"]), ""), ("events", str(document["events"]), "")]
    rows += [
        (name, str(document[name]), "" if against is None else str(against[name]))
        for name in ("scheduled", "delivered", "cancelled", "failed", "waiting")
    ]
    parts = [
        f"<h1>Backtest of {_text(document['experience'])}</h1>",
        f"<p>What visitors did from {_text(document['since'])} to {_text(document['until'])}, played in "
        "virtual time. Nothing was sent. All times are UTC.</p>",
        _table(("", "this version", "" if against is None else against["version"]), rows),
        "<h2>Delivered by day</h2>",
        _bars(list(document["by_day"].items())),
        "<h2>Delivered by hour of the day</h2>",
        _bars([(f"{hour:02d}", count) for hour, count in enumerate(document["by_hour"])]),
        "<h2>The fullest minute</h2>",
        _table(
            ("integration", "minute", "delivered", "its rate allows"),
            [
                (each["integration"], each["at"], str(each["delivered"]), str(each["most_a_minute"] or "any"))
                for each in document["peaks"]
            ],
        ),
        "<h2>Most for one visitor</h2>",
        _table(
            ("visitor", "delivered"),
            [(each["visitor"], str(each["delivered"])) for each in document["per_visitor"]["most"]],
        ),
        "<h2>Refused and failed</h2>",
        _table(
            ("what", "how often"),
            [
                *(
                    (f"{r['integration']}.{r['verb']}: {r['code']}", str(r["count"]))
                    for r in document["refused"]
                ),
                *((f"run: {what}", str(count)) for what, count in document["failures"].items()),
            ],
        ),
    ]
    if against is not None:
        parts += [f"<h2>What differs for {against['visitors_that_differ']} visitors</h2>"]
        for each in against["examples"]:
            differing = [("this version", *_cells(one)) for one in each["only_new"]]
            differing += [(against["version"], *_cells(one)) for one in each["only_old"]]
            parts += [
                f"<h3>{_text(each['visitor'])}</h3>",
                _table(("only", "integration", "key", "due", "status"), differing),
            ]
            if each.get("playground"):
                parts.append(f'<p><a href="{_text(each["playground"])}">Play it in the playground</a></p>')
    return _PAGE.replace("TITLE", f"Backtest of {_text(document['experience'])}").replace(
        "BODY", "\n".join(parts)
    )


def _cells(one: Mapping[str, str]) -> tuple[str, str, str, str]:
    return one["integration"], one["key"], one["due_at"], one["status"]


def _text(value: str) -> str:
    return html.escape(value)


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    if not rows:
        return "<p>None.</p>"
    head = "".join(f"<th>{_text(each)}</th>" for each in heads)
    body = "".join("<tr>" + "".join(f"<td>{_text(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<table><tr>{head}</tr>{body}</table>"


def _bars(counts: Sequence[tuple[str, int]]) -> str:
    most = max((count for _, count in counts), default=0)
    if not most:
        return "<p>None.</p>"
    width = _WIDTH / len(counts)
    bars = []
    for index, (name, count) in enumerate(counts):
        height = count / most * _HEIGHT
        bars.append(
            f'<rect x="{index * width:.1f}" y="{_HEIGHT - height:.1f}" width="{width * 0.8:.1f}" '
            f'height="{height:.1f}"><title>{_text(name)}: {count}</title></rect>'
        )
    label = _text(f"{counts[0][0]} to {counts[-1][0]}, at most {most}")
    return (
        f'<figure><svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="{label}">{"".join(bars)}'
        f"</svg><figcaption>{label}</figcaption></figure>"
    )


_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>TITLE</title>
<style>
:root { color-scheme: light dark }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 44rem; margin: 2rem auto; padding: 0 1rem }
table { border-collapse: collapse } th, td { text-align: left; padding: .2rem 1rem .2rem 0 }
figure { margin: 0 } svg { width: 100% } rect { fill: #2f6feb }
</style>
</head>
<body>
BODY
</body>
</html>
"""
