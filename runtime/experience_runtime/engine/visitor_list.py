"""Which visitors there are: those seen lately, and those that a text may mean."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from experience_runtime.domain.errors import InvalidParameter
from experience_runtime.domain.filters import LONGEST_TEXT
from experience_runtime.domain.instants import iso
from experience_runtime.domain.values import shown

LOOKED_AT = 1000
"""Of the last runs, executions and events each: whose visitors are those seen lately."""

_SEARCHED = (
    f"Searched: the beginning of every visitor id{{other}}, as typed, in small and in capital letters; and "
    f"any part, in any case, of the ids among the last {LOOKED_AT:,} runs, executions{{events}}."
)
_LATELY = f"Those of the last {LOOKED_AT:,} runs, executions{{events}}, the last seen first."


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What is known of who has this id; `ids` are all of the person, `seen_at` when it was last told of."""

    id: str
    ids: Sequence[str]
    timezone: str | None
    timezone_offset: int | None
    seen_at: datetime | None


class VisitorList(Protocol):
    """Reads visitors by an index. `of_experiences`: only as far as runs and what experiences made tell."""

    def lately(self, *, looked_at: int, of_experiences: bool) -> Mapping[str, datetime]:
        """The visitors of the last `looked_at` runs, executions and events each, and when it was."""
        ...

    def beginning(self, texts: Sequence[str], *, limit: int, of_experiences: bool) -> Sequence[str]:
        """Ids that begin with one of these texts, to the letter: up to `limit` of each and of each source."""
        ...

    def seen(self, ids: Sequence[str]) -> Sequence[Seen]:
        """What is known of each, in this order."""
        ...


class VisitorLookup:
    """The list of visitors as its JSON document."""

    def __init__(self, visitors: VisitorList) -> None:
        self._visitors = visitors

    def list(self, text: str = "", *, limit: int, of_experiences: bool) -> dict[str, Any]:
        """Up to `limit` visitors: one of exactly this id first, then the last seen. A person is told once.

        Without a text those seen lately. `of_experiences`: with no other id and no zone. Raises
        InvalidParameter for a text of more than 200 characters.
        """
        text = text.strip()
        if len(text) > LONGEST_TEXT:
            raise InvalidParameter(
                f"text {shown(text)} has {len(text)} characters; a part of an id has at most {LONGEST_TEXT}"
            )
        at = self._visitors.lately(looked_at=LOOKED_AT, of_experiences=of_experiences)
        ids = [id for id in at if text.casefold() in id.casefold()]
        if text:
            spellings = list(dict.fromkeys((text, text.lower(), text.upper(), text.capitalize())))
            ids += self._visitors.beginning(spellings, limit=limit, of_experiences=of_experiences)
        ids = sorted(dict.fromkeys(ids), key=lambda id: (id != text, -at[id].timestamp() if id in at else 0))
        told: dict[str, dict[str, Any]] = {}
        for each in self._visitors.seen(ids[: 2 * limit]):
            document = _document(each, at.get(each.id), of_experiences=of_experiences)
            told.setdefault(document["ids"][0], document)
        return {
            "visitors": list(told.values())[:limit],
            "searched": (_SEARCHED if text else _LATELY).format(
                other="" if of_experiences else " and every other id of the same person",
                events="" if of_experiences else " and events",
            ),
        }


def _document(seen: Seen, at: datetime | None, *, of_experiences: bool) -> dict[str, Any]:
    ids = [seen.id] if of_experiences else list(seen.ids)
    times = [at] if of_experiences else [at, seen.seen_at]
    known = [each for each in times if each is not None]
    return {
        "id": seen.id,
        "ids": ids,
        "timezone": None if of_experiences else seen.timezone,
        "timezone_offset": None if of_experiences else seen.timezone_offset,
        "seen_at": iso(max(known)) if known else None,
    }
