"""Stored: settings of integrations that stand in the database, and what they are sealed with."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from experience_runtime.domain.errors import InvalidParameter
from experience_runtime.settings.redaction import setting_texts

SETTINGS_KEY = "EXPERIENCE_SETTINGS_KEY"
MAKE_ONE = f"make one with `experience settings key`, and set {SETTINGS_KEY} to it for every process"

MOST_BYTES = 65_536
"""How large the settings of one integration may be."""

_REFERENCES = ("env:", "file:")


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """The settings that stand in the database, by the names of integrations, opened.

    `is_used` is false where the settings file alone says everything. `versions`: how often each was changed.
    `unreadable`: why those cannot be opened that none of the keys here fits.
    """

    is_used: bool = False
    tables: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    versions: Mapping[str, int] = field(default_factory=dict)
    unreadable: Mapping[str, str] = field(default_factory=dict)

    def secrets(self) -> Iterator[str]:
        """The texts that no page, log and history may show."""
        return setting_texts(dict(self.tables), str)


NOTHING_STORED = Stored()


class Keys:
    """What settings are sealed with: the first key; and opened with: any of them."""

    def __init__(self, texts: Sequence[str]) -> None:
        """Raises InvalidParameter where there is none."""
        from cryptography.fernet import Fernet, MultiFernet  # 20 ms, and few processes need it

        if not texts:
            raise InvalidParameter(
                f"settings of integrations stand in the database, and no key opens them; {MAKE_ONE}"
            )
        self._fernet = MultiFernet([Fernet(text) for text in texts])

    def seal(self, integration: str, table: Mapping[str, Any]) -> str:
        """The settings of one integration as they are kept. They open under its name only."""
        plain = json.dumps({"integration": integration, "settings": table}).encode()
        if len(plain) > MOST_BYTES:
            raise InvalidParameter(
                f"the settings of {integration} have {len(plain)} bytes; at most {MOST_BYTES} are kept"
            )
        return self._fernet.encrypt(plain).decode("ascii")

    def opened(self, integration: str, sealed: str) -> Mapping[str, Any]:
        """The settings that were sealed. Raises InvalidParameter when no key here fits."""
        from cryptography.fernet import InvalidToken

        try:
            held = json.loads(self._fernet.decrypt(sealed.encode()))
        except InvalidToken:
            held = {}
        if held.get("integration") != integration:
            raise InvalidParameter(
                f"the settings of {integration} stand in the database, and no key of {SETTINGS_KEY} opens "
                "them; add the key that they were sealed with, or type them anew"
            )
        table: Mapping[str, Any] = held["settings"]
        return table

    def resealed(self, sealed: str) -> str:
        """The same sealed with the first key. Only for what `opened` has opened."""
        return self._fernet.rotate(sealed.encode()).decode("ascii")


def new_key() -> str:
    """A key to seal settings with: 44 letters, digits, - and _."""
    from cryptography.fernet import Fernet

    return Fernet.generate_key().decode("ascii")


def read_keys(text: str) -> tuple[str, ...]:
    """The keys in a text, separated by commas. Raises InvalidParameter for one that is none, not shown."""
    keys = tuple(part.strip() for part in text.split(",") if part.strip())
    for number, key in enumerate(keys, 1):
        if not _is_key(key):
            which = "" if len(keys) == 1 else f"number {number} of "
            raise InvalidParameter(f"{which}{SETTINGS_KEY} is no key; {MAKE_ONE}")
    return keys


def _is_key(text: str) -> bool:
    from cryptography.fernet import Fernet

    try:
        Fernet(text)
    except ValueError:
        return False
    return True


def require_no_reference(setting: str, value: object) -> None:
    """InvalidParameter for a value that means what stands in the environment or in a file of the server.

    Who may type settings is not asked to see those.
    """
    match value:
        case str() if value.startswith(_REFERENCES):
            raise InvalidParameter(
                f"{setting} is a reference, and those are for the settings file only; type what is meant"
            )
        case dict():
            for inner in value.values():
                require_no_reference(setting, inner)
        case list():
            for inner in value:
                require_no_reference(setting, inner)
