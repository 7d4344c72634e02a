"""What happened to a visitor, told while that visitor is erased."""

from experience_runtime.domain.admission import Policies
from experience_runtime.domain.visitors import Erased
from experience_runtime.engine.run_lookup import RunLookup

from .conftest import NOW
from .policed import Policed


def test_what_is_erased_between_two_reads_is_passed_over() -> None:
    world = Policed(Policies())
    for key in ("a", "b"):
        made = world.schedule(integration="sms", key=key, visitor="ada").execution
        world.store.cancel(made.number, reason="over", now=NOW)
    erased: list[Erased] = []

    def erasing(text: str) -> str:  # the first of them has been read then
        if not erased:
            erased.append(world.store.erasing.erase("ada", now=NOW))
        return text

    lookup = RunLookup(store=world.store, operations=world.operations, redact=erasing)

    assert [each["what"] for each in lookup.why("ada")["entries"]] == ["cancelled"]
    assert erased[0].executions == 2
    world.store.close()
