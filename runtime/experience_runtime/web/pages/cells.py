"""Cells: each cell of a table says under which heading it stands, for screens too narrow for a table."""

import re

_TABLE = re.compile(r"<table\b.*?</table>", re.DOTALL)
_HEADING = re.compile(r'<th scope="col"[^>]*>(.*?)</th>', re.DOTALL)
_ROW = re.compile(r"<tr>.*?</tr>", re.DOTALL)
_CELL = re.compile(r'<(?:td|th scope="row")(?=[ >])')
_TAG = re.compile(r"<[^>]*>")


def labelled(page: str) -> str:
    """A page of the templates, its cells with `data-label`. What a template was given has no tag in it."""
    return _TABLE.sub(lambda found: _table(found[0]), page)


def _table(table: str) -> str:
    labels = [" ".join(_TAG.sub("", each).split()) for each in _HEADING.findall(table)]

    def row(found: re.Match[str]) -> str:
        coming = iter(labels)

        def cell(opened: re.Match[str]) -> str:
            label = next(coming, "")
            return f'{opened[0]} data-label="{label}"' if label else opened[0]

        return found[0] if '<th scope="col"' in found[0] else _CELL.sub(cell, found[0])

    return _ROW.sub(row, table)
