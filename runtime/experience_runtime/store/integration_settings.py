"""The settings of integrations in a SQL store, sealed: it never sees what they are."""

from collections.abc import Mapping, Sequence
from typing import Any

from experience_runtime.domain.errors import Conflict
from experience_runtime.domain.instants import from_ms, to_ms
from experience_runtime.engine.kept_settings import Sealed
from experience_runtime.store import rows
from experience_runtime.store.audit import SqlAudit
from experience_runtime.store.database import Database
from experience_runtime.store.journal import Journal


class SqlIntegrationSettings:
    """`kept_settings.SealedSettings` in the store's own database."""

    def __init__(self, database: Database, journal: Journal, audit: SqlAudit) -> None:
        self._database = database
        self._journal = journal
        self._audit = audit

    def version(self) -> int:
        ((version,),) = self._database.look(lambda read: read("integration_settings_version", {}))
        return int(version)

    def all(self) -> Sequence[Sealed]:
        found = self._database.look(lambda read: read("integration_settings", {}))
        return [_sealed(row) for row in found]

    def put(self, sealed: Sealed, *, action: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> int:
        name = rows.text(sealed.integration)

        def act() -> int:
            self._database.hold("integration settings")
            found = self._database.execute("integration_settings_of", {"integration": name})
            there = _sealed(found[0]).version if found else 0
            if there != sealed.version:
                raise Conflict(
                    f"the settings of {sealed.integration} were changed meanwhile: version {there}, not "
                    f"{sealed.version}; look at them again"
                )
            bound = {
                "integration": name,
                "version": there + 1,
                "changed_at": to_ms(sealed.changed_at),
                "sealed": sealed.text,
            }
            self._database.execute("put_integration_settings", bound)
            at = sealed.changed_at
            self._audit.note(
                "integration", action, object=sealed.integration, at=at, before=before, after=after
            )
            return there + 1

        return self._journal.write(f"settings of {sealed.integration}", act)


def _sealed(row: Sequence[Any]) -> Sealed:
    integration, version, changed_at, text = row
    return Sealed(integration=integration, version=int(version), changed_at=from_ms(changed_at), text=text)
