"""The replies of a store: what each caller was answered under its Idempotency-Key."""

from datetime import datetime, timedelta

from experience_runtime.domain.errors import Conflict
from experience_runtime.domain.instants import from_ms, to_ms
from experience_runtime.domain.values import shown
from experience_runtime.engine.keeping import Reply
from experience_runtime.store import rows
from experience_runtime.store.database import Database

_KEPT = timedelta(hours=24)
_LOST_AFTER = timedelta(minutes=10)


class SqlReplies:
    """`ports.Replies` in the store's own database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def claim(self, *, caller: str, key: str, request: bytes, now: datetime) -> Reply | None:
        place = _place(caller, key)
        bound = place | {"request": request, "now": to_ms(now)}

        def act() -> Reply | None:
            self._database.hold(f"reply {caller} {key}")
            self._database.execute("drop_old_replies", {"before": to_ms(now - _KEPT)})
            if self._database.execute_counted("claim_reply", bound):
                return None
            kept_request, claimed_at, status, media_type, body = self._database.execute("reply", place)[0]
            if kept_request != request:
                raise Conflict(
                    f"the Idempotency-Key {shown(key)} was used for another request; use a new one for this"
                )
            if status is not None:
                return Reply(status=status, media_type=media_type, body=body)
            if from_ms(claimed_at) > now - _LOST_AFTER:
                raise Conflict(
                    f"the request with the Idempotency-Key {shown(key)} is still being answered; "
                    "ask again in a moment"
                )
            self._database.execute("release_reply", place)
            self._database.execute("claim_reply", bound)
            return None

        return self._database.write(act)

    def keep(self, reply: Reply, *, caller: str, key: str) -> None:
        bound = _place(caller, key) | {
            "status": reply.status,
            "media_type": rows.text(reply.media_type),
            "body": reply.body,
        }
        self._database.write(lambda: self._database.execute("keep_reply", bound))

    def release(self, *, caller: str, key: str) -> None:
        def act() -> None:
            self._database.hold(f"reply {caller} {key}")
            self._database.execute("release_reply", _place(caller, key))

        self._database.write(act)


def _place(caller: str, key: str) -> rows.Values:
    return {"caller": rows.text(caller), "key": rows.text(key)}
