"""What the tests of the snippet's server share: the shop, and what is sent from it."""

from typing import Any

import httpx
from experience_runtime.runtime import Runtime

SHOP = "https://shop.example"


def send(client: httpx.Client, key: str, body: Any, **headers: str) -> httpx.Response:
    return client.post(f"/visitors/k/{key}/events", json=body, headers=headers)


def types(runtime: Runtime, visitor: str) -> list[str]:
    return [event.type for event in runtime.store.events.of(visitor, limit=100)]
