"""The steps a machine can take: the words they are made of, and how one number chooses one."""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from hypothesis import strategies as st

from .model import DAY, HOUR, LEASE, SECOND, Window

RETRIES = {"patient": 2, "once": 0}
INTEGRATIONS = sorted(RETRIES)
KNOWN = ["ada", "ben"]
VISITORS = ["ada", "ben", "ada", "ben", None]
KEYS = ["a", "b", None]
SCOPES = ["visitor", "visitor", "visitor", "property"]
BOTH = [False, True]
WINDOWS: list[Window | None] = [
    None,
    None,
    ((0, 1, 2, 3, 4), 9 * 60, 17 * 60, 0),
    ((0, 1, 2, 3, 4, 5, 6), 22 * 60, 6 * 60, 60),
    ((5,), 0, 23 * 60 + 59, -300),
]
WAITS = [0, 0, 1, SECOND, LEASE, HOUR, 10 * HOUR, DAY, 3 * DAY, 30 * DAY]
OUTCOMES = ["succeeded", "succeeded", "failed", "may pass", "may pass", "died"]
RETRY_AFTERS = [None, None, 0, 90, 3 * 3600, 30 * 86_400]
MEANWHILE = [None, None, None, "convert", "schedule", "cancel", "pause", "lapse"]
PICKS = range(12)
ENDINGS: dict[str, Sequence[Any]] = {
    "pick": PICKS,
    "outcome": OUTCOMES,
    "retry_after": RETRY_AFTERS,
    "jitter": [0.0, 0.5, 0.999],
    "meanwhile": MEANWHILE,
}


F = TypeVar("F", bound=Callable[..., None])

CHOICES: dict[str, dict[str, Sequence[Any]]] = {}
OFTEN: list[str] = []

NUMBERS = 2**20  # more than any step has combinations of its choices
STIR = 648_053  # odd: no two numbers become one, and 0 stays the simplest


def step(*, weight: int = 1, **choices: Sequence[Any]) -> Callable[[F], F]:
    """Let the machine do this, `weight` times as often as others, each argument one of its choices."""

    def register(act: F) -> F:
        CHOICES[act.__name__] = choices
        OFTEN.extend([act.__name__] * weight)
        return act

    return register


def a_step() -> st.SearchStrategy[tuple[str, dict[str, Any]]]:
    return st.tuples(st.sampled_from(OFTEN), st.integers(0, NUMBERS - 1)).map(_chosen)


def _chosen(drawn: tuple[str, int]) -> tuple[str, dict[str, Any]]:
    """Read a step from one number: drawing each argument by itself takes longer than all the rest.

    Small numbers are drawn far more often than large ones; stirred, they mean all kinds of things.
    """
    name, number = drawn[0], drawn[1] * STIR % NUMBERS
    arguments = {}
    for argument, choices in CHOICES[name].items():
        number, choice = divmod(number, len(choices))
        arguments[argument] = choices[choice]
    return name, arguments
