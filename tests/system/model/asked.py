"""What a `schedule` call of the machine asks for: its options, and the row that must come of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from experience_runtime.domain.instants import to_ms
from experience_runtime.domain.visitors import Visitor

from .model import HOUR, Key, Row, Window, opening
from .parts import whole_key, window_option
from .steps import BOTH, INTEGRATIONS, KEYS, RETRIES, SCOPES, VISITORS, WAITS, WINDOWS

ASKED: Mapping[str, Sequence[Any]] = {
    "integration": INTEGRATIONS,
    "name": KEYS,
    "visitor": VISITORS,
    "scope": SCOPES,
    "wait": WAITS,
    "as_time": BOTH,
    "window": WINDOWS,
    "converts": BOTH,
    "if_exists": ["replace", "keep", "reject"],
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One call. `wait` is in milliseconds; a conversion can be asked for by a known visitor only."""

    integration: str
    name: str | None = None
    visitor: str | None = None
    scope: str = "visitor"
    wait: int = HOUR
    as_time: bool = False
    window: Window | None = None
    converts: bool = False
    if_exists: str = "replace"

    @property
    def key(self) -> Key | None:
        return whole_key(self.integration, self.name, self.visitor, self.scope)

    @property
    def who(self) -> Visitor | None:
        return None if self.visitor is None else Visitor(id=self.visitor)

    def options(self, now: datetime) -> dict[str, object]:
        return {
            "key": None if self.name is None else {"k": self.name},
            "scope": self.scope,
            "cancelOnConversion": self.converts and self.visitor is not None,
            "ifExists": self.if_exists,
            "window": window_option(self.window),
            **({"time": to_ms(now) + self.wait} if self.as_time else {"delay": self.wait}),
        }

    def row(self, id: str, now: int) -> Row:
        return Row(
            id=id,
            integration=self.integration,
            due=opening(self.window, now + self.wait),
            retries=RETRIES[self.integration],
            key=self.key,
            visitor=self.visitor,
            window=self.window,
            converts=int(self.converts and self.visitor is not None),
            made_at=now,
        )


def again(row: Row) -> dict[str, Any]:
    """Ask for another under the key of this one."""
    _, name, owner = row.key or (None, None, row.visitor)
    scope = "property" if owner == "" else "visitor"
    return {"integration": row.integration, "name": name, "visitor": row.visitor, "scope": scope}
