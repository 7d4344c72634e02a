"""Texts that are long or odd: nothing in the host reads them but in linear, bounded steps.

Counted is the host's own CPU, which no other work on the machine changes; the reader's has a limit.
"""

import time
from collections.abc import Callable

import pytest
from experience_runtime.domain.experience import Experience, SourceText
from experience_runtime.scripts.bundle import Bundle
from experience_runtime.scripts.reader import Reader
from experience_runtime.scripts.rules import find_all

from tests.conftest import NOW, Lab

SIZE = 512 * 1024
HOST_SECONDS = 0.5


def filled(text: str) -> str:
    return text * (SIZE // len(text))


TEXTS = {
    "an export that never comes": f"export function{' ' * SIZE}(",
    "an import that never comes": f"import x{' ' * SIZE}\n'",
    "an export list that never ends": "export {a" + " " * SIZE + "b}",
    "one line of super": f"/*{filled('super ')}*/ (function g(){{ throw new Error('x') }})()",
    "throws on every line": filled("throw null\nthrow a\n"),
    "redeclarations": filled("function f(a){const a={}}"),
    "links that never end": filled(".integration('a'"),
    "requires that never end": filled("require(x "),
    "links by many names": filled("const a1 = options.integration('b');"),
    "defaults that never end": filled("options.integration('a',{a:"),
    "line ends": "\n" * SIZE,
    "lines of two bytes": filled("é\n"),
    "one line of characters": "const a = '" + "é" * (SIZE // 2) + "'",
    "brackets": "(" * SIZE,
    "brackets that pair": "[" * (SIZE // 2) + "]" * (SIZE // 2),
    "templates in templates": filled("`${"),
    "quotes": filled("'"),
    "markup": filled("<a"),
    "imports": filled("import {a} from './utils';"),
    "names that look like others": "module.exports = options => {" + filled("options.lgo.a;") + "}",
}


def seconds_of_host(act: Callable[[], object]) -> float:
    began = time.thread_time()
    act()
    return time.thread_time() - began


@pytest.fixture(scope="module")
def reader() -> Reader:
    return Reader()


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS.keys())
def test_the_host_is_not_slowed_by_a_text(reader: Reader, lab: Lab, text: str) -> None:
    experience = _experience(text)
    made: list[Bundle] = []

    def read_and_explain() -> None:
        made.append(Bundle(experience, repair=True, reader=reader))
        made[0].problem("script_error", "null", "")  # which may have been thrown anywhere

    assert seconds_of_host(read_and_explain) < HOST_SECONDS
    assert seconds_of_host(lambda: find_all(made[0], lab.registry, NOW)) < HOST_SECONDS
    reader.close()


@pytest.mark.parametrize("text", [TEXTS["line ends"], TEXTS["one line of characters"], filled("é\n")])
def test_the_host_is_not_slowed_by_places_in_a_log(reader: Reader, text: str) -> None:
    bundle = Bundle(_experience(text), reader=reader)
    lines = "\n".join(f"    at f (variation.js:1:{200_000 + each})" for each in range(500))

    def log() -> None:
        for _ in range(60):  # about the limit of a run's log
            bundle.in_own_places(lines)
            bundle.problem("", "", lines)

    assert seconds_of_host(log) < HOST_SECONDS
    reader.close()


def test_a_text_the_reader_gives_up_on_runs_as_it_is_with_the_engines_own_words(lab: Lab) -> None:
    ran = lab.run(Bundle(_experience("module.exports = () => {}\n" + f"/*{TEXTS['quotes']}*/")))
    failed = lab.fails(Bundle(_experience(TEXTS["quotes"][:-1])))

    assert ran.outcome == "ran"
    assert failed.code in ("syntax_error", "limit_memory", "limit_cpu")
    assert failed.message != ""


def test_a_reader_that_was_ended_gives_way_to_another(reader: Reader) -> None:
    question = {"ask": "read", "repair": False, "files": []}
    hostile = {**question, "repair": True, "files": [_file(TEXTS["quotes"])]}

    assert reader.ask(hostile, cpu_seconds=0.02) is None
    assert reader.ask({**question, "files": [_file("export default 1")]})[0]["text"] == "module.exports = 1;"
    reader.close()


def test_a_text_is_read_once(reader: Reader) -> None:
    question = {"ask": "read", "repair": False, "files": [_file("export default 'once'")]}
    first = reader.ask(question)

    reader.close()

    assert reader.ask(question) is first


def test_the_reader_is_confined_as_a_worker_is(reader: Reader, lab: Lab) -> None:
    assert reader.in_force() == lab.pool.in_force()
    reader.close()


def _experience(text: str) -> Experience:
    return Experience(name="odd", is_folder=True, variation=SourceText("variation.js", text))


def _file(text: str) -> dict[str, str]:
    return {"file": "variation.js", "role": "variation", "text": text}
