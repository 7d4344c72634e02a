"""What `check` finds where a constant is assigned to, and what it passes over."""

from collections.abc import Mapping

import pytest

from tests.conftest import Lab
from tests.scripts.rules import HEAD, check_place, found

FOUND: Mapping[str, str] = {
    "an assignment": HEAD + "const total = 1\n  »total = 2",
    "an assignment to a constant of the file": "const total = 1\n" + HEAD + "»total = 2",
    "an operator": HEAD + "const total = 1\n  »total += 2",
    "a step": HEAD + "const total = 1\n  »total++",
    "a step before": HEAD + "const total = 1\n  »++total",
    "a loop's own": HEAD + "for (const at = 0; at < 2; »at++) {}",
    "an element": HEAD + "const total = 1\n  ;[»total] = [2]",
    "a member": HEAD + "const total = 1\n  ;({ a: »total } = { a: 2 })",
    "a loop over values": HEAD + "const each = 1\n  for (»each of [2, 3]) {}",
    "in a function that is called": HEAD + "const total = 1\n  ;[1].forEach(() => { »total = 2 })",
}
PASSED_OVER: Mapping[str, str] = {
    "a member of a constant": "const found = {}\n  found.total = 2\n  found['a'] += 1",
    "let and var": "let a = 1\n  var b = 2\n  a = b\n  b++",
    "another of the same name": "const a = 1\n  { let a = 2; a = 3 }\n  ;[0].map(a => { a = 4; return a })",
    "a loop over constants": "for (const each of [1, 2]) { const a = each }\n  for (const key in {}) {}",
    "what is tried": "const a = 1\n  try { a = 2 } catch (error) {}",
    "a function that nobody calls": "const a = 1\n  function never () { a = 2 }",
    "a default and a key": "const a = 1\n  const f = ({ b = a }) => b\n  f({ a })\n  ;({ a: 1 })",
    "a label, a string and a comment": "const a = 1\n  const b = 'a = 2' // a = 3",
}


@pytest.mark.parametrize("text", FOUND.values(), ids=FOUND.keys())
def test_an_assignment_to_a_constant_is_found_where_it_stands(lab: Lab, text: str) -> None:
    check_place(lab, text, "script_error", "is a const; declare it with let")


@pytest.mark.parametrize("text", PASSED_OVER.values(), ids=PASSED_OVER.keys())
def test_what_assigns_to_no_constant_is_passed_over(lab: Lab, text: str) -> None:
    assert found(lab, HEAD + "  " + text + "\n}\n") == []
