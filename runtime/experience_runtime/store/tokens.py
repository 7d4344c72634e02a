"""The tokens of a store, and the sessions of pages."""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from experience_runtime.documents.documents import token_document
from experience_runtime.domain.access import Scope, Token
from experience_runtime.domain.errors import Conflict
from experience_runtime.domain.instants import from_ms, to_ms
from experience_runtime.store import rows
from experience_runtime.store.audit import SqlAudit
from experience_runtime.store.database import Database


class SqlTokens:
    """`ports.Tokens` in the store's own database."""

    def __init__(self, database: Database, audit: SqlAudit) -> None:
        self._database = database
        self._audit = audit

    def put(self, token: Token) -> None:
        bound = {
            "digest": token.digest,
            "name": rows.text(token.name),
            "scopes": json.dumps(token.scopes),
            "origins": json.dumps(token.origins),
            "created_at": to_ms(token.created_at),
            "expires_at": rows.optional_ms(token.expires_at),
            "note": rows.text(token.note),
        }

        def act() -> int:
            self._database.execute("remember_token", {"created_at": bound["created_at"]})
            made = self._database.execute_counted("put_token", bound)
            if made:
                at, told = token.created_at, _told(token)
                self._audit.note("token", "create", object=token.name, at=at, after=told)
            return made

        if not self._database.write(act):
            raise Conflict(
                f'a token is named "{token.name}" already; revoke it first, or choose another name'
            )

    def ever(self) -> bool:
        return bool(self._database.read(lambda: self._database.execute("had_token", {})))

    def all(self) -> list[Token]:
        return [_token(row) for row in self._database.read(lambda: self._database.execute("tokens", {}))]

    def token(self, digest: bytes) -> Token | None:
        return self._one("token", {"digest": digest})

    def use(self, digest: bytes, *, now: datetime) -> None:
        bound = {"digest": digest, "now": to_ms(now)}
        self._database.write(lambda: self._database.execute("use_token", bound))

    def revoke(self, name: str, *, now: datetime) -> bool:
        def act() -> bool:
            found = [_token(row) for row in self._database.execute("revoke_token", {"name": rows.text(name)})]
            for token in found:
                self._database.execute("drop_sessions_of", {"token": token.digest})
                self._audit.note("token", "revoke", object=name, at=now, before=_told(token))
            return bool(found)

        return self._database.write(act)

    def begin_session(self, digest: bytes, *, token: bytes, now: datetime, expires_at: datetime) -> None:
        def act() -> None:
            self._database.execute("drop_ended_sessions", {"now": to_ms(now)})
            bound = {"digest": digest, "token": token, "expires_at": to_ms(expires_at)}
            self._database.execute("begin_session", bound)

        self._database.write(act)

    def session(self, digest: bytes, *, now: datetime) -> Token | None:
        return self._one("session_token", {"digest": digest, "now": to_ms(now)})

    def end_session(self, digest: bytes) -> None:
        self._database.write(lambda: self._database.execute("end_session", {"digest": digest}))

    def _one(self, statement: str, bound: rows.Values) -> Token | None:
        found = self._database.read(lambda: self._database.execute(statement, bound))
        return _token(found[0]) if found else None


def _told(token: Token) -> dict[str, Any]:
    document = token_document(token)
    return {name: document[name] for name in ("scopes", "origins", "note", "expires_at")}


def _token(row: Sequence[Any]) -> Token:
    name, digest, scopes, origins, created_at, expires_at, used_at, note = row
    return Token(
        name=name,
        digest=digest,
        scopes=tuple(Scope(scope) for scope in json.loads(scopes)),
        origins=tuple(json.loads(origins)),
        created_at=from_ms(created_at),
        expires_at=None if expires_at is None else from_ms(expires_at),
        used_at=None if used_at is None else from_ms(used_at),
        note=note,
    )
