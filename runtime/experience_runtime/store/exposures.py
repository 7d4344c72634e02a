"""The exposures of a store."""

from collections.abc import Sequence

from experience_runtime.domain.instants import from_ms, to_ms
from experience_runtime.domain.traffic import Exposure, Tally, tallied
from experience_runtime.store import rows
from experience_runtime.store.database import Database
from experience_runtime.store.transitions import Transitions

_EXPOSURE = (
    rows.Column("experience", rows.text),
    rows.Column("visitor", rows.text),
    rows.Column("variation", rows.text),
    rows.Column("at", to_ms, from_ms),
    rows.Column("release"),
)
"""The columns of `exposures`, in the order its statements list them."""


class SqlExposures:
    """`exposures.Exposures` in the store's own database."""

    def __init__(self, database: Database, transitions: Transitions) -> None:
        self._database = database
        self._transitions = transitions

    def variation(self, experience: str, visitor: str) -> str | None:
        bound = {"experience": rows.text(experience), "visitor": rows.text(visitor)}
        found = self._database.read(lambda: self._database.execute("exposure_of_person", bound))
        return str(found[0][0]) if found else None

    def note(self, exposure: Exposure) -> None:
        bound = rows.bound(_EXPOSURE, exposure)

        def act() -> None:
            # what is added or converted at this moment is counted: here, or by whoever comes after
            self._transitions.hold_person(exposure.visitor)
            self._database.execute_counted("drop_other_exposures", bound)
            self._database.execute_counted("note_exposure", bound)

        self._database.write(act)

    def of(self, visitor: str) -> Sequence[Exposure]:
        bound = {"visitor": rows.text(visitor)}
        found = self._database.read(lambda: self._database.execute("exposures_of", bound))
        return [Exposure(**rows.read(_EXPOSURE, row)) for row in found]

    def tally(self, experience: str) -> Sequence[Tally]:
        bound = {"experience": rows.text(experience)}
        found = self._database.look(lambda read: read("tally_exposures", bound))
        return tallied(
            Tally(variation=variation, visitors=visitors, executions=executions, converted=converted)
            for variation, visitors, executions, converted in found
        )
