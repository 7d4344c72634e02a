"""Statements: `.sql` files, read by name, in the spelling of one database."""

import re
from collections.abc import Mapping
from importlib.resources.abc import Traversable
from typing import Any

from experience_runtime.store import rows


def read_statements(*folders: Traversable, spelling: Mapping[str, str]) -> dict[str, str]:
    """Read what follows each `-- name: NAME` line of the `.sql` files in these folders; the later ones win.

    In them, {columns} is what `rows.execution` reads, {stored} and {values} what an insert writes, and
    {schedule_columns} and {schedule_values} the same of a recurring schedule. What follows a `-- part: NAME`
    line stands wherever a statement says {NAME}. Every other word in braces is spelt as `spelling` has it:
    {key_owner}, the owner of a row's key; {each NAME}, the rows of the bound JSON list; {in_numbers},
    {in_statuses} and {in_ids}, membership of one; {position}; {lower NAME}; {bytes}; and what locks a
    row that is read.
    """
    files = [file for folder in folders for file in folder.iterdir() if file.name.endswith(".sql")]
    found = re.split(
        r"^-- (name|part): (\w+)$", "\n".join(f.read_text("utf-8") for f in files), flags=re.MULTILINE
    )
    named: dict[str, dict[str, str]] = {"name": {}, "part": {}}
    for kind, name, body in zip(found[1::3], found[2::3], found[3::3], strict=True):
        named[kind][name] = re.sub(r"^\s*--.*$", "", body, flags=re.MULTILINE).strip()
    words = named["part"] | _columns(spelling["key_owner"])
    return {name: _spelt(sql, words, spelling) for name, sql in named["name"].items()}


_OPTIONAL = re.compile(r"\[\[(?:(\w+): )?(.+?)\]\]", re.DOTALL)
_PARAMETER = re.compile(r"(?<![:\w]):([a-z_]+)|%\(([a-z_]+)\)s")


def used(sql: str, bound: Mapping[str, Any]) -> str:
    """A statement with only those of its optional parts whose parameters are bound, and not to null.

    `[[AND visitor = :visitor]]` is one; `[[failed: AND outcome = 'failed']]` names its parameter apart. Each
    question then has a plan of its own, and the index that fits.
    """
    if "[[" not in sql:
        return sql

    def part(found: re.Match[str]) -> str:
        names = [found[1]] if found[1] else [a or b for a, b in _PARAMETER.findall(found[2])]
        return found[2] if all(bound.get(name) is not None for name in names) else ""

    return _OPTIONAL.sub(part, sql)


def _columns(key_owner: str) -> dict[str, str]:
    def quoted(columns: tuple[str, ...]) -> str:
        return ", ".join(f'"{column}"' for column in columns)

    def bound(columns: tuple[str, ...]) -> str:
        return ", ".join(f":{column}" for column in columns)

    schedule = tuple(column.name for column in rows.SCHEDULE)
    return {
        "columns": quoted(tuple(column.name for column in rows.EXECUTION)).replace('"key_owner"', key_owner),
        "stored": quoted(rows.STORED),
        "values": bound(rows.STORED),
        "schedule_columns": quoted(schedule),
        "schedule_values": bound(schedule),
    }


def _spelt(sql: str, words: Mapping[str, str], spelling: Mapping[str, str]) -> str:
    def spelt(found: re.Match[str]) -> str:
        word, _, name = found[1].partition(" ")
        text = words[word] if word in words else spelling[word].replace("NAME", name)
        return _spelt(text, words, spelling)

    return re.sub(r"\{(\w+(?: \w+)?)\}", spelt, sql)
