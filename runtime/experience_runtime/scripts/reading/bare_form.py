"""Bare forms: a function alone, as old files have it, and a value under a name, as bundlers write one."""

import re
from collections.abc import Iterator

from tree_sitter import Node

from experience_runtime.scripts.reading.edits import Edit
from experience_runtime.scripts.reading.literals import bare
from experience_runtime.scripts.reading.module_form import EXPORTS
from experience_runtime.scripts.reading.scopes import Scopes
from experience_runtime.scripts.reading.source import FUNCTIONS, Source

_BARE_FORM = re.compile(rb"(?:async\b\s{0,1000})?(?:function\b|\(|[\w$]{1,200}\s{0,1000}=>)")
_DECLARATIONS = ("lexical_declaration", "variable_declaration")


def as_exported(source: Source) -> Iterator[Edit]:
    """What to write otherwise so that a file without an export exports what it is."""
    statements = [each for each in source.root.children if not _says_nothing(each)]
    end = len(source.data)
    if not statements:
        if source.role == "variation":
            yield Edit(end, end, f"\n{EXPORTS}function () {{}}")
    elif len(statements) == 1 and (name := _of_bundler(source, statements[0])) is not None:
        yield Edit(end, end, f"\n;{EXPORTS}{name}")
    # a file that begins with a bracket and knows `exports` by itself is a bundler's, and exports there
    elif _BARE_FORM.match(source.data, statements[0].start_byte) and not (
        b"exports" in source.data and "exports" in Scopes(source).free
    ):
        yield Edit(statements[0].start_byte, statements[0].start_byte, EXPORTS)


def is_blank(source: Source) -> bool:
    """Whether a file holds nothing but comments and lines such as 'use strict'."""
    return all(_says_nothing(each) or each.type == "empty_statement" for each in source.root.children)


def _says_nothing(statement: Node) -> bool:
    """Whether this is a comment, or a line such as 'use strict'."""
    if statement.type == "expression_statement":
        return statement.named_children[0].type == "string"
    return statement.type in ("comment", "hash_bang_line")


def _of_bundler(source: Source, statement: Node) -> str | None:
    """The one name of `var name = (function () { … })()`, which bundlers call a global name."""
    declared = [each for each in statement.named_children if each.type == "variable_declarator"]
    if statement.type not in _DECLARATIONS or len(declared) != 1:
        return None
    name, value = (declared[0].child_by_field_name(field) for field in ("name", "value"))
    value = None if value is None else bare(value)
    called = value.child_by_field_name("function") if value is not None else None
    if name is None or name.type != "identifier" or called is None or bare(called).type not in FUNCTIONS:
        return None
    return source.text(name)
