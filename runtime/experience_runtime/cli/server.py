"""A server that a command asks instead of a database: `--server URL`, and the token for it."""

import http.client
import json
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode, urlsplit

import click

from experience_runtime.domain.errors import InvalidParameter, error_of
from experience_runtime.domain.urls import require_web_address
from experience_runtime.domain.values import refuse_constant, shown
from experience_runtime.settings.environment import TOKEN

_PATIENCE_SECONDS = 120.0
_LARGEST_BYTES = 32 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Server:
    """An Experience Runtime elsewhere. What it refuses is raised as here, under its code."""

    url: str
    token: str | None = None

    def get(self, path: str, **query: object) -> Any:
        """The document at a path below /v1. Raises ExperienceError."""
        return self._ask("GET", f"{path}?{urlencode(query)}" if query else path)

    def post(self, path: str, body: Mapping[str, object]) -> Any:
        return self._ask("POST", path, json.dumps(body, ensure_ascii=True))

    def _ask(self, method: str, path: str, body: str | None = None) -> Any:
        # no library that follows redirects: the token would go along to wherever they lead
        try:
            require_web_address(self.url)
        except ValueError as problem:
            raise InvalidParameter(f"--server {shown(self.url)} {problem}") from None
        parts = urlsplit(self.url)
        host = parts.hostname or ""
        headers = {"Accept": "application/json", "Content-Type": "application/json"}
        if self.token is not None:
            headers["Authorization"] = f"Bearer {_one_line(self.token)}"
        try:
            connection = (
                http.client.HTTPSConnection(
                    host, parts.port, timeout=_PATIENCE_SECONDS, context=ssl.create_default_context()
                )
                if parts.scheme == "https"
                else http.client.HTTPConnection(host, parts.port, timeout=_PATIENCE_SECONDS)
            )
            try:
                connection.request(method, f"{parts.path.rstrip('/')}/v1{path}", body, headers)
                answer = connection.getresponse()
                content = answer.read(_LARGEST_BYTES + 1)
            finally:
                connection.close()
        except (OSError, http.client.HTTPException, ValueError) as problem:
            raise InvalidParameter(
                f"--server {shown(self.url)} gives no answer ({problem or type(problem).__name__}); "
                "name the address of a running `experience serve`"
            ) from None
        return self._read(answer.status, content)

    def _read(self, status: int, content: bytes) -> Any:
        try:
            document = json.loads(content, parse_constant=refuse_constant)
        except (ValueError, RecursionError):
            document = None
        if isinstance(document, dict):
            if status == 200:
                return document
            code, detail = document.get("code"), document.get("detail")
            if isinstance(code, str) and isinstance(detail, str):
                raise error_of(code, detail)
        raise InvalidParameter(
            f"--server {shown(self.url)} answers {status} with what is no document of an Experience Runtime; "
            "name the address of a running `experience serve`"
        )


def at_server(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add `--server` and `--token`; the verb takes `server`, None for the database of the settings."""
    import functools

    @click.option("--server", "url", metavar="URL", help="Ask this server, not the database of the settings.")
    @click.option(
        "--token",
        metavar="TOKEN",
        envvar=TOKEN,
        help=f"A token of the server. Better set {TOKEN}: others see what a command is given.",
    )
    @functools.wraps(command)
    def with_server(*, url: str | None, token: str | None, **arguments: Any) -> Any:
        return command(server=None if url is None else Server(url, token), **arguments)

    return with_server


def _one_line(token: str) -> str:
    if not token.isascii() or not token.isprintable():
        raise InvalidParameter(
            "the token is not one line of ASCII; copy what `experience tokens create` printed"
        )
    return token.strip()
