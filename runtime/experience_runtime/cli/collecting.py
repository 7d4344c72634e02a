"""Collecting: how often this process looks for cycles of objects that nobody needs any more."""

import gc

_NEW_OBJECTS = 10_000
"""After how many it looks: a request or a simulated call makes some thousands, and drops all but few."""


def look_seldom() -> None:
    """Look less often than programs do that keep little; a twelfth of a simulation went into looking."""
    gc.set_threshold(_NEW_OBJECTS, *gc.get_threshold()[1:])


def pass_over_what_stays() -> None:
    """Look no more at what there is by now: what was made at the start lives as long as the process."""
    gc.collect()
    gc.freeze()
