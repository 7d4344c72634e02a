"""The replies of a store: what each caller was answered under its Idempotency-Key."""

import json
import os
import secrets
import socket
from datetime import datetime, timedelta

from experience_runtime.domain.errors import Conflict
from experience_runtime.domain.instants import from_ms, to_ms
from experience_runtime.domain.values import shown
from experience_runtime.engine.claims import Claim
from experience_runtime.engine.keeping import Reply
from experience_runtime.store import rows
from experience_runtime.store.database import Database

_LOST_AFTER = timedelta(seconds=60)
_TOKEN = secrets.token_hex(8)


def this_process() -> str:
    """The name of this process: its machine, its number, and what tells it from one that had this number."""
    return f"{socket.gethostname()} {os.getpid()} {_TOKEN}"


class SqlReplies:
    """`keeping.Replies` in the store's own database."""

    def __init__(self, database: Database, owner: str | None = None) -> None:
        self._database = database
        self._owner = owner or this_process()

    def claim(self, *, caller: str, key: str, request: bytes, now: datetime) -> Reply | Claim:
        place = {"caller": rows.text(caller), "key": rows.text(key)}
        bound = place | {"request": request, "now": to_ms(now), "owner": self._owner}

        def act() -> Reply | Claim:
            self._database.hold(f"reply {caller} {key}")
            claim = Claim(caller=place["caller"], key=place["key"], owner=self._owner, asked_at=now)
            if self._database.execute_counted("claim_reply", bound):
                return claim
            kept = self._database.execute("reply", place)[0]
            kept_request, claimed_at, status, media_type, body, owner, acts = kept
            if kept_request != request:
                raise Conflict(
                    f"the Idempotency-Key {shown(key)} was used for another request; use a new one for this"
                )
            if status is not None:
                return Reply(status=status, media_type=media_type, body=body)
            is_lost = has_ended(owner) or from_ms(claimed_at) <= now - _LOST_AFTER
            # whoever had it may answer at this very moment: then it is not taken over
            if not is_lost or not self._database.execute_counted("take_over_reply", bound):
                raise Conflict(
                    f"the request with the Idempotency-Key {shown(key)} is still being answered; "
                    "ask again in a moment"
                )
            claim.acts += [
                (verb, result, asked_at[0] if asked_at else None)
                for verb, result, *asked_at in json.loads(acts or "[]")
            ]
            return claim

        return self._database.write(act)

    def keep(self, reply: Reply, claim: Claim) -> None:
        bound = _place(claim) | {
            "status": reply.status,
            "media_type": rows.text(reply.media_type),
            "body": reply.body,
        }
        self._database.write(lambda: self._database.execute("keep_reply", bound))

    def release(self, claim: Claim) -> None:

        def act() -> None:
            self._database.hold(f"reply {claim.caller} {claim.key}")
            self._database.execute("release_reply", _place(claim))
            self._database.execute("give_up_reply", _place(claim))

        self._database.write(act)


def _place(claim: Claim) -> rows.Values:
    return {"caller": claim.caller, "key": claim.key, "owner": claim.owner}


def has_ended(owner: str | None) -> bool:
    """Whether a process is known to be gone; one on another machine is not known to be."""
    if not owner:
        return owner == ""  # it has given up; None: of a version that did not say
    host, pid, token = owner.split(" ")
    if host != socket.gethostname():
        return False
    if int(pid) == os.getpid():
        return token != _TOKEN  # an earlier one had this number: the first process of a container always has
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return False
