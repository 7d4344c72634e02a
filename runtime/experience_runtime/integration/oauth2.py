"""OAuth 2.0 client credentials: the token is fetched, kept while it holds, and renewed when it is refused."""

import hashlib
import math
from collections.abc import Mapping
from typing import Annotated, Any, Protocol
from urllib.parse import quote_plus

from pydantic import BaseModel, Field, SecretStr

from experience_runtime.integration.cache import Cache
from experience_runtime.integration.http import Answer, Fields, Http
from experience_runtime.integration.kinds import SecretUrl

_UNTOLD_SECONDS = 300.0  # of a token whose end is not told
_EARLY_SECONDS = 30.0  # a token is not used to its last second: the request takes time
_LONGEST_SECONDS = 86_400.0


class _Context(Protocol):
    @property
    def http(self) -> Http: ...

    @property
    def cache(self) -> Cache: ...


class OAuth2(BaseModel):
    """Settings of a client that fetches its own access tokens. Source: RFC 6749, 4.4.

    `request` sends with the token. One that was kept and is answered 401 is fetched again, once.
    """

    token_url: SecretUrl
    client_id: Annotated[str, Field(min_length=1)]
    client_secret: Annotated[SecretStr, Field(min_length=1)]
    scope: str = ""
    audience: str = ""

    def request(
        self,
        context: _Context,
        method: str,
        url: str,
        *,
        content: bytes = b"",
        json: Any = None,
        form: Fields | None = None,
        query: Fields | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """As `http.request`, with the token as `authorization: Bearer …`."""

        def send(token: str) -> Answer:
            sent = {**(headers or {}), "authorization": f"Bearer {token}"}
            return context.http.request(
                method, url, content=content, json=json, form=form, query=query, headers=sent
            )

        key = self._key()
        kept = context.cache.get(key)
        if kept is not None:
            answer = send(kept)
            if answer.status != 401:
                return answer
            context.cache.drop(key)
        return send(self._fetch(context, key))

    def _key(self) -> str:
        parts = (self.token_url.get_secret_value(), self.client_id, self.scope, self.audience)
        return f"oauth2 {hashlib.sha256(repr(parts).encode()).hexdigest()}"

    def _fetch(self, context: _Context, key: str) -> str:
        form = {"grant_type": "client_credentials", "scope": self.scope, "audience": self.audience}
        answer = context.http.post(
            self.token_url.get_secret_value(),
            form={name: value for name, value in form.items() if value},
            headers={"accept": "application/json"},
            auth=(_quoted(self.client_id), _quoted(self.client_secret.get_secret_value())),
        )
        if not 200 <= answer.status < 300:
            raise answer.failure(f"no access token: the token address answered {answer.status}")
        told = answer.json()
        token = told.get("access_token") if isinstance(told, dict) else None
        if not isinstance(token, str) or not token.isascii() or not token.isprintable() or not token.strip():
            raise answer.failure("no access token: the answer of the token address holds none")
        context.cache.set(key, token, seconds=_seconds(told.get("expires_in")))
        return token


def _quoted(text: str) -> str:
    """As a form writes it: both halves of the authentication are. Source: RFC 6749, 2.3.1."""
    return quote_plus(text)


def _seconds(told: object) -> float:
    try:
        seconds = float(told)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):
        return _UNTOLD_SECONDS
    if not math.isfinite(seconds):
        return _UNTOLD_SECONDS
    return min(max(seconds - _EARLY_SECONDS, 0.0), _LONGEST_SECONDS)
