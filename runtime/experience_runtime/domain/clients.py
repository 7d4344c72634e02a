"""Clients: on whose behalf an event is scheduled. Source: reference/scheduled-events."""

from collections.abc import Mapping
from dataclasses import dataclass

from experience_runtime.domain.errors import InvalidParameter
from experience_runtime.domain.values import nearest, read_name, shown

FIELDS = ("bot_id", "channel_id", "user_id")


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """A bot, one of its channels, and a user on it. Whatever is not known is None."""

    bot_id: str | None = None
    channel_id: str | None = None
    user_id: str | None = None

    def fields(self) -> dict[str, str]:
        """The fields that are known."""
        every = {"bot_id": self.bot_id, "channel_id": self.channel_id, "user_id": self.user_id}
        return {name: value for name, value in every.items() if value is not None}


NO_CLIENT = Client()


def read_client(value: object, *, where: str = "client") -> Client:
    """Read an object of bot_id, channel_id and user_id; null is left out. Raises InvalidParameter."""
    if not isinstance(value, Mapping):
        raise InvalidParameter(
            f'{where} {shown(value)} is not an object; write {{"bot_id": …, "channel_id": …, "user_id": …}}'
        )
    for name in value:
        if name not in FIELDS and (meant := nearest(str(name), FIELDS)):
            raise InvalidParameter(f'{where} has no {shown(name)}; did you mean "{meant}"?')
    return Client(**{name: _id(f"{where}.{name}", value.get(name)) for name in FIELDS})


def _id(where: str, value: object) -> str | None:
    return None if value is None else read_name(where, value)
