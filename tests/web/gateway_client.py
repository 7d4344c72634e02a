"""A client of the gateway that sends what the original browser client sends, and reads answers as it does."""

import base64
from dataclasses import dataclass, field
from typing import Any

import httpx

_DEFAULTS = {
    "execute": ("key", "data"),
    "defer": ("key", "data", "window", "cancelOnConversion", "time", "delay"),
    "cancel": ("key",),
}
_VERBS = {"execute": "execute", "defer": "schedule", "cancel": "cancel"}


class Rejected(Exception):
    """What the client's promise rejects with; `type` is HTTP, MALFORMED_RESPONSE, or None for a refusal."""

    def __init__(self, message: str, *, type: str | None, code: str | None = None) -> None:
        super().__init__(message)
        self.type = type
        self.code = code


def encoded(slug: str, *, property_id: str = "2499", version: int = 1) -> str:
    return base64.b64encode(f"{property_id}:{slug}:{version}".encode()).decode()


def refused_as(answer: httpx.Response) -> str:
    """The code of a refusal that the client shows as a message."""
    document = answer.json()
    assert (answer.status_code, set(document), document["ok"]) == (200, {"ok", "error"}, False), answer.text
    assert set(document["error"]) == {"message", "code"}
    return str(document["error"]["code"])


@dataclass(kw_only=True)
class Integration:
    """`options.integration(id, defaults)` of the original, over HTTP; `offset` is the browser's."""

    http: httpx.Client
    base: str
    slug: str
    visitor_id: str | None = "anna"
    defaults: dict[str, Any] = field(default_factory=dict)
    offset: int = -60

    def execute(self, data: Any, options: dict[str, Any] | None = None) -> Any:
        return self._send("execute", f"/{encoded(self.slug)}", {"data": data, **(options or {})})

    def schedule(self, data: Any, options: dict[str, Any] | None = None) -> Any:
        body = {"data": data, **(options or {})}
        return self._send("defer", f"/defer/{encoded(self.slug)}", body)

    def cancel(self, options: dict[str, Any] | None = None) -> Any:
        return self._send("cancel", f"/cancel/{encoded(self.slug)}", options or {})

    def conversion(self) -> Any:
        return self._post("execute", "/conversion", {"visitorId": self.visitor_id})

    def _send(self, action: str, path: str, options: dict[str, Any]) -> Any:
        picked = {name: self.defaults[name] for name in _DEFAULTS[action] if name in self.defaults}
        body = {**picked, **{name: value for name, value in options.items() if name != "timeout"}}
        if action == "defer" and body.get("window") and not body["window"].get("timezoneOffset"):
            body["window"]["timezoneOffset"] = self.offset  # the caller's own object is changed
        body["meta"] = {
            "source": "experience",
            "visitorId": self.visitor_id,
            "experience": {
                "experienceId": 143640,
                "iterationId": 397851,
                "variationId": 852190,
                "variationMasterId": 851487,
                "isPreview": True,
            },
        }
        return self._post(action, path, body)

    def _post(self, action: str, path: str, body: Any) -> Any:
        answer = self.http.post(f"{self.base}{path}", json=body)
        if answer.status_code >= 300:
            raise Rejected(f"POST {path} ({answer.status_code})", type="HTTP")
        try:
            document = answer.json()
        except ValueError:
            raise Rejected("not JSON", type="MALFORMED_RESPONSE") from None
        if document["ok"]:
            return document["data"]
        error = document["error"]
        raise Rejected(
            f"Failed to perform {_VERBS[action]} action: {error['message']}", type=None, code=error["code"]
        )
