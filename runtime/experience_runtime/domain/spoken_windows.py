"""Spoken windows: days and hours as people write them, in the form that is read: what a refusal suggests."""

import re
from collections.abc import Sequence

_MIDDAY, _DAY = 12 * 60, 24 * 60
_END = r"(\d{1,2})(?:(?:[:.h](\d{2})?)(?::00)?|(?<=\d\d)(\d{2}))? *h? *(?:([ap])\.? *(?:m\.?)?)?"
_RANGE = re.compile(rf"{_END} *(?:-|–|—|to|until|till|and|bis|à) *{_END}")
_AROUND = re.compile(r"^(?:from|between|von|de) +|\buhr\b|\bo'clock\b")
_WORDS = ((re.compile(r"\b(?:noon|midday)\b"), "12pm"), (re.compile(r"\bmidnight\b"), "12am"))
_LIST = re.compile(r" *(?:,|;|/|&|\+|\band\b|\bund\b) *")
_SPAN = re.compile(r" *(?:-|–|—|\bto\b|\bthru\b|\bthrough\b|\buntil\b|\btill\b|\bbis\b) *")


def spoken_time(text: str) -> str | None:
    """A range of hours, 10am-6pm, 9-17 or 9 to 5:30 pm, as the window has it; None for no range.

    An hour without am and pm that is smaller than a morning's before it is the afternoon's, as in 9-5: an end
    at night is never guessed.
    """
    plain = text.strip().lower()
    for word, meant in _WORDS:
        plain = word.sub(meant, plain)
    form = _RANGE.fullmatch(_AROUND.sub("", plain).strip())
    if form is None:
        return None
    start, end = _minute(form.groups()[:4]), _minute(form.groups()[4:])
    if start is None or end is None or start == _DAY:
        return None
    if end < start <= _MIDDAY and form[4] != "p" and form[8] != "p":
        if form[8] and not form[4]:
            return None  # 9-5am: of which evening?
        end += 0 if form[8] else _MIDDAY
    if end == _DAY or (end == 0 and form[8]):
        end = _DAY - 1
    return "{:02}:{:02}-{:02}:{:02}".format(*divmod(start, 60), *divmod(end, 60))


def _minute(parts: Sequence[str | None]) -> int | None:
    hour, minute, together, half = parts
    at, minutes = int(hour or 0), int(minute or together or 0)
    if half is not None and not 1 <= at <= 12:
        return None
    at = at % 12 + (12 if half == "p" else 0) if half else at
    return at * 60 + minutes if minutes < 60 and at * 60 + minutes <= _DAY else None


def spoken_days(text: str, days: Sequence[str]) -> str | None:
    """Days and spans of days by short names and other signs, "mon & wed" or "tue thru sat", as the window has
    them; None where a word is none of these days."""
    plain = " ".join(text.lower().split())
    parts = [[full_day(end, days) for end in _SPAN.split(part)] for part in _LIST.split(plain)]
    if all(len(part) <= 2 and all(part) for part in parts):
        return ",".join("-".join(part) for part in parts)
    words = [full_day(word, days) for word in plain.split(" ")]
    return ",".join(words) if all(words) else None


def full_day(word: object, days: Sequence[str]) -> str:
    """The day that a word begins, or is with an s; "" when it is none."""
    plain = word.strip().lower() if isinstance(word, str) else ""
    return next((day for day in days if len(plain) > 1 and (day.startswith(plain) or plain == f"{day}s")), "")
