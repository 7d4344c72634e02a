"""Visitors, an instant and a shorthand for the tests of planning."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from experience_runtime.domain.planning import Plan, plan
from experience_runtime.domain.visitors import Visitor

NOW = datetime(2026, 3, 6, 16, 30, 15, 250_000, tzinfo=UTC)  # a Friday, 17:30 at UTC+1
OFFICE = {"day": "monday-friday", "time": "09:00-17:00"}
ANNA = Visitor(id="anna", timezone="Europe/Paris", timezone_offset=480)
BEN = Visitor(id="ben", timezone_offset=-60)
CAI = Visitor(id="cai")
NOBODY = Visitor(id=None, timezone="Europe/Paris")  # anonymous, and the browser told its zone
THIRTY_DAYS = timedelta(days=30)


def planned(
    options: Mapping[str, Any], *, defaults: Mapping[str, Any] | None = None, visitor: Visitor | None = None
) -> Plan:
    return plan(options, defaults=defaults or {}, now=NOW, visitor=visitor)
