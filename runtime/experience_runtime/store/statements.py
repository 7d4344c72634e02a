"""Statements: the `.sql` files of this package, read by name."""

import re
from importlib import resources
from typing import Final

from experience_runtime.store import rows


def _read() -> dict[str, str]:
    files = [file for file in resources.files(__package__).iterdir() if file.name.endswith(".sql")]
    source = "\n".join(file.read_text("utf-8") for file in files)
    columns = ", ".join(f'"{column}"' for column in rows.COLUMNS)
    stored = ", ".join(f'"{column}"' for column in rows.STORED)
    parameters = ", ".join(f":{column}" for column in rows.STORED)
    source = source.replace("{columns}", columns).replace("{stored}", stored).replace("{values}", parameters)
    parts = re.split(r"^-- name: (\w+)$", source, flags=re.MULTILINE)[1:]
    return {
        name: re.sub(r"^\s*--.*$", "", body, flags=re.MULTILINE).strip()
        for name, body in zip(parts[::2], parts[1::2], strict=True)
    }


STATEMENTS: Final = _read()
