"""Spans: durations as people read them."""

_UNITS = ((86_400, "d"), (3_600, "h"), (60, "min"), (1, "s"))


def span_text(seconds: float) -> str:
    """Say a duration in its one or two largest units: `2 d 14 h`, `5 min`."""
    rest, parts = round(seconds), []
    for size, unit in _UNITS:
        count, rest = divmod(rest, size)
        if count:
            parts.append(f"{count} {unit}")
    return " ".join(parts[:2]) or "0 s"
