"""Statements: `.sql` files, read by name."""

import re
from importlib.resources.abc import Traversable

from experience_runtime.store import rows


def read_statements(*folders: Traversable, key_owner: str) -> dict[str, str]:
    """Read what follows each `-- name: NAME` line of the `.sql` files in these folders; the later ones win.

    In them, {columns} is rows.COLUMNS, with `key_owner` as this database spells it; {stored} and {values} are
    what an insert writes.
    """
    files = [file for folder in folders for file in folder.iterdir() if file.name.endswith(".sql")]
    source = "\n".join(file.read_text("utf-8") for file in files)
    columns = ", ".join(key_owner if column == "key_owner" else f'"{column}"' for column in rows.COLUMNS)
    stored = ", ".join(f'"{column}"' for column in rows.STORED)
    parameters = ", ".join(f":{column}" for column in rows.STORED)
    source = source.replace("{columns}", columns).replace("{stored}", stored).replace("{values}", parameters)
    parts = re.split(r"^-- name: (\w+)$", source, flags=re.MULTILINE)[1:]
    return {
        name: re.sub(r"^\s*--.*$", "", body, flags=re.MULTILINE).strip()
        for name, body in zip(parts[::2], parts[1::2], strict=True)
    }
