"""Policies: the `[delivery.NAME]` tables of the settings, read."""

from collections.abc import Mapping
from typing import Any

from experience_runtime.domain.admission import BREAKER_FAILURES, BREAKER_SECONDS, Policy
from experience_runtime.domain.errors import InvalidParameter
from experience_runtime.domain.values import nearest, shown, whole_number

POLICY_BOUNDS = {
    "concurrency": (1, 1000),
    "per_second": (1, 1000),
    "per_minute": (1, 60_000),
    "breaker_failures": (0, 1_000_000),
    "breaker_seconds": (1, 86_400),
}
_ISOLATE = "isolate"

POLICY_SETTINGS = (*POLICY_BOUNDS, _ISOLATE)
"""What a table may hold."""


def read_policy(table: Mapping[str, Any], *, where: str) -> Policy:
    """Read one table; `where` names it in a refusal: `experience.toml: delivery.slack-update`.

    Keys: `concurrency`, `per_second` or `per_minute`, `breaker_failures` (0: no breaker), `breaker_seconds`,
    `isolate`.
    """
    isolate = table.get(_ISOLATE, False)
    if not isinstance(isolate, bool):
        raise InvalidParameter(
            f"{where}: isolate = {shown(isolate)} must be true or false; write isolate = true"
        )
    numbers = {key: _number(key, value, where) for key, value in table.items() if key != _ISOLATE}
    if "per_second" in numbers and "per_minute" in numbers:
        raise InvalidParameter(f"{where} has both per_second and per_minute; keep the one that counts")
    return Policy(
        concurrency=numbers.get("concurrency"),
        rate_count=numbers.get("per_second", numbers.get("per_minute")),
        rate_seconds=60 if "per_minute" in numbers else 1,
        breaker_failures=numbers.get("breaker_failures", BREAKER_FAILURES),
        breaker_seconds=numbers.get("breaker_seconds", BREAKER_SECONDS),
        isolate=isolate,
    )


def _number(key: str, value: object, where: str) -> int:
    if key not in POLICY_BOUNDS:
        meant = nearest(key, POLICY_SETTINGS)
        hint = f'did you mean "{meant}"?' if meant else f"known are: {', '.join(POLICY_SETTINGS)}"
        raise InvalidParameter(f'{where}: "{key}" is not a setting; {hint}')
    least, most = POLICY_BOUNDS[key]
    number = whole_number(value)
    if number is None or not least <= number <= most:
        raise InvalidParameter(
            f"{where}: {key} = {shown(value)} must be a whole number from {least} to {most};"
            f" write for instance {key} = {max(least, 10)}"
        )
    return number
