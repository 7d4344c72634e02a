"""What the commands about telling people and programs share: which one is named, and how its test went."""

from collections.abc import Sequence
from typing import Any, Protocol, TypeVar

from experience_runtime.cli.common import EXIT_REFUSED, fail, print_json, say
from experience_runtime.domain.errors import InvalidParameter
from experience_runtime.domain.values import nearest, shown
from experience_runtime.engine.attempt import Outcome


class _Named(Protocol):
    @property
    def name(self) -> str: ...


N = TypeVar("N", bound=_Named)


def of_name(name: str, known: Sequence[N], what: str) -> N:
    """The one of this name. Raises InvalidParameter with the near miss, or with all there are."""
    names = [each.name for each in known]
    if name not in names:
        meant = nearest(name, names, cutoff=0.5)
        hint = f'did you mean "{meant}"?' if meant else f"there are: {', '.join(names) or 'none'}"
        raise InvalidParameter(f"there is no {what} {shown(name)}; {hint}")
    return known[names.index(name)]


def tell_test(outcome: Outcome, document: dict[str, Any], said: str, *, as_json: bool) -> None:
    """Say how a test call went; end with the exit code of a refusal when it failed."""
    if as_json:
        error = None if outcome.code is None else {"code": outcome.code, "message": outcome.error}
        print_json({**document, "ok": error is None, "error": error})
    if outcome.code is not None:
        if as_json:
            raise SystemExit(EXIT_REFUSED)
        fail(f"{outcome.code}: {outcome.error}", EXIT_REFUSED)
    if not as_json:
        say(said)
