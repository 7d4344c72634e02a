"""What a file assigns to, although it is declared with `const`."""

from collections.abc import Iterator
from typing import Any

from experience_runtime.scripts.reading.guards import is_tried
from experience_runtime.scripts.reading.reached import Reached
from experience_runtime.scripts.reading.scopes import Scopes

_WHOLE = frozenset(("assignment_expression", "augmented_assignment_expression", "update_expression"))


def assigned_constants(scopes: Scopes, reached: Reached) -> Iterator[dict[str, Any]]:
    """Every such place in code that runs, as {"code", "message", "line", "column"}."""
    for declared in scopes.all():
        if declared.kind != "const":
            continue
        for use in declared.uses:
            if not use.writes or use.node.id == declared.node.id or scopes.is_declaration(use.node):
                continue
            if reached.runs(use.scope.function) and not is_tried(use.node):
                around = use.node.parent
                whole = around if around is not None and around.type in _WHOLE else use.node
                line, column = scopes.source.place(whole.start_byte)
                yield {
                    "code": "script_error",
                    "message": f"'{declared.name}' is a const; declare it with let to change it",
                    "line": line,
                    "column": column,
                }
