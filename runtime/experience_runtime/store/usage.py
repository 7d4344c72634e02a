"""What sites' keys have left here, counted in the store's own database."""

from experience_runtime.store import rows
from experience_runtime.store.database import Database


class SqlUsage:
    """`keeping.Usage`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def pending(self, site: str, *, at_most: int) -> int:
        bound = {"site": rows.text(site), "limit": at_most}
        return int(self._database.read(lambda: self._database.execute("pending_of_site", bound))[0][0])

    def take(self, site: str, kind: str, *, day: int, share: int, quota: int) -> int:
        bound = {"site": rows.text(site), "kind": kind, "day": day}

        def act() -> int:
            self._database.hold(f"usage {site} {kind}")
            found = self._database.execute("used", bound)
            used = int(found[0][0]) if found else 0
            taken = max(0, min(share, quota - used))
            if taken:
                self._database.execute("put_used", bound | {"used": used + taken})
                self._database.execute("drop_used", bound)
            return taken

        return self._database.write(act)
