"""Traffic: which of its variations an experience shows to a visitor, and how they did."""

import math
import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction

from experience_runtime.domain.errors import InvalidParameter
from experience_runtime.domain.releases import PARTS, part_of
from experience_runtime.domain.values import nearest, shown

CONTROL = "control"
"""Nothing runs but the triggers."""

UNNUMBERED = "variation"
"""The file `variation.js`."""

_LARGEST_SHARE = 1_000_000
_FILE = re.compile(r"variation(?:-(?P<number>[0-9]+))?(?:\.[jt]s)?")
_EXAMPLE = '{"control": 20, "101": 40, "202": 40}'


@dataclass(frozen=True, slots=True)
class Traffic:
    """The share of each variation, by its name in `package.json`; none is negative, and one is above 0."""

    shares: tuple[tuple[str, Fraction], ...]  # the control first, then by master id

    @property
    def names(self) -> Sequence[str]:
        """The variations that anybody gets."""
        return [name for name, share in self.shares if share]

    def of(self, experience: str, visitor: str | None, *, kept: str | None = None) -> str:
        """The variation of a visitor: always the same one of the same shares.

        `kept` is the one that they had before, which they keep while it has a share. Somebody unknown gets
        the one with the greatest share, the control last. Source: reference/traffic#who-gets-what.
        """
        if visitor is None:
            return max(self.shares, key=lambda each: (each[1], each[0] != CONTROL))[0]
        if kept in self.names:
            return str(kept)
        part, reached = part_of(experience, visitor, kind="traffic"), Fraction(0)
        total = sum((share for _, share in self.shares), Fraction(0))
        for name, share in self.shares:
            reached += share
            if part * total < reached * PARTS:
                return name
        raise AssertionError("a part is below all of them")


def read_traffic(value: object, variations: Collection[str], *, control: str | None = None) -> Traffic:
    """The object `traffic` of a `package.json`; `variations` are the names there are.

    `control`: the master id that the package says is the control's. Raises InvalidParameter.
    """
    if not isinstance(value, dict) or not value:
        raise InvalidParameter(
            f'"traffic" {shown(value)} is no object of shares; write for instance {_EXAMPLE}'
        )
    for name in value:
        if name not in variations and name != CONTROL:
            raise InvalidParameter(f'"traffic" names {shown(name)}: {_meant(name, variations, control)}')
    shares = {name: _share(name, share) for name, share in value.items()}
    if not any(shares.values()):
        raise InvalidParameter(f'the shares of "traffic" are all 0; write for instance {_EXAMPLE}')
    return Traffic(shares=tuple((name, shares[name]) for name in sorted(shares, key=_place)))


def variation_name(file: str) -> str | None:
    """How `traffic` calls a file of code; None for one that is no variation's."""
    found = _FILE.fullmatch(file)
    return None if found is None else found["number"] or UNNUMBERED


def _meant(name: str, variations: Collection[str], control: str | None) -> str:
    if name == control:
        return f'that is the control, which has no file; write "{CONTROL}"'
    known = [*sorted(variations, key=_place), CONTROL]
    file = variation_name(name)
    meant = file if file in known else nearest(name, known, cutoff=0.5)
    there = f"did you mean {shown(meant)}?" if meant else f"there are {', '.join(known)}"
    return f"there is no such variation; {there}"


def _share(name: str, value: object) -> Fraction:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not is_number or not 0 <= value <= _LARGEST_SHARE:  # type: ignore[operator]
        raise InvalidParameter(
            f'the share of {shown(name)} in "traffic" is {shown(value)}; write a number from 0 to '
            f'{_LARGEST_SHARE}, such as "{name}": 40'
        )
    return Fraction(str(value))


def _place(name: str) -> tuple[int, int, str]:
    if name == CONTROL:
        return 0, 0, name
    return (2, int(name), name) if name.isdigit() else (1, 0, name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Exposure:
    """A visitor was shown a variation that traffic chose, for the first time `at`."""

    experience: str
    visitor: str
    variation: str
    at: datetime
    release: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """How a variation did: of its visitors `converted` have converted since they were shown it."""

    variation: str
    visitors: int
    executions: int
    converted: int


def tallied(found: Iterable[Tally]) -> Sequence[Tally]:
    """The control first, then by master id."""
    return sorted(found, key=lambda each: _place(each.variation))


_Z = 1.959963984540054  # 95 % of a normal distribution lie within so many standard deviations


def wilson(successes: int, of: int) -> tuple[float, float]:
    """The 95 % confidence interval of a rate, from 0 to 1: Wilson's score interval.

    E. B. Wilson, "Probable Inference, the Law of Succession, and Statistical Inference", Journal of the
    American Statistical Association 22 (1927), 209-212.
    """
    if not of:
        return 0.0, 1.0
    rate, square = successes / of, _Z * _Z
    middle = rate + square / (2 * of)
    reach = _Z * math.sqrt(rate * (1 - rate) / of + square / (4 * of * of))
    scale = 1 + square / of
    low, high = (middle - reach) / scale, (middle + reach) / scale
    return (0.0 if not successes else max(0.0, low)), (1.0 if successes == of else min(1.0, high))
