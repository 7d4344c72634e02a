"""Examples: the lines of a variation that a page shows, run, and held against what stands below them.

    await slack.cancel({ key: 'a' })
    // → {"cancelled": 0, "ids": []}       what the statement above gives, as JSON
    // ✗ invalid_key: …                    how it is refused: its code, when it has one, and its message
    // log warn: …                         a line of the run's log
    // event basketChanged: {…}            an event that the run emitted
    // then: slack-update succeeded        what became of each execution, in order: all of them, or none

`…` stands for anything in a line. `slack` is `options.integration('slack-update')`, the visitor is v1 in the
zone Europe/Paris, and it is Friday 2026-03-06 15:30 UTC.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from click.testing import CliRunner
from experience_runtime.cli import main

from .wildcard import agrees

AT = "2026-03-06T15:30:00Z"
_MARK = re.compile(r"// (→|✗|log|event|then:) ?(.*)")
_NAMED = re.compile(r"(?:const|let) (\w+) = ")
_REMARK = re.compile(r"\s+// [^\n]*\Z")
_HEAD = """\
module.exports = async function variation (options) {
const slack = options.integration('slack-update')
const tell = (number, kind, text) => options.log('example').info('', { number, kind, text })
const show = (number, value) => tell(number, '→', value === undefined ? 'undefined' : JSON.stringify(value))
const code = (error) => /^[a-z_]+$/.test(error.code || '!') ? error.code + ': ' : ''
const refused = (number, error) => tell(number, '✗', code(error) + error.message)
"""
_SETTINGS = {
    "EXPERIENCE_INTEGRATION__SLACK_UPDATE__URL": "https://hooks.example.com/a",
    "EXPERIENCE_INTEGRATION__WEBHOOK__URL": "https://hooks.example.com/b",
}


@dataclass(frozen=True, slots=True)
class Mark:
    """What a line of an example promises. `line` counts from 0 within the block."""

    line: int
    kind: str
    text: str


def is_example(lines: Sequence[str]) -> bool:
    """Whether these lines are an example, and no file to save."""
    return any(_MARK.match(line) for line in lines)


def play_example(lines: Sequence[str], folder: Path) -> list[tuple[int, str]]:
    """Run an example; return what does not hold: the line within the block, and what was found."""
    source, marks = _variation(lines)
    file = folder / "example.js"
    file.write_text(source, encoding="utf-8")
    words = ["simulate", str(file), "--visitor", "v1", "--timezone", "Europe/Paris", "--at", AT, "--json"]
    said = CliRunner().invoke(main, words, env=_SETTINGS, prog_name="experience")
    try:
        document = json.loads(said.stdout)
    except ValueError:
        return [(0, f"the example cannot be simulated:\n{said.output}")]
    if document.get("outcome") != "ran":
        return [(0, f"the example ended as {document.get('outcome')}: {document.get('error')}")]
    return list(_disagreements(marks, document))


def play_mistake(lines: Sequence[str], folder: Path) -> list[tuple[int, str]]:
    """Check a file, and simulate it when nothing is found; its last line is what must be said, and where."""
    *source, said = lines
    mark = _MARK.match(said)
    if mark is None or mark[1] != "✗":
        return [(len(source), "a mistake ends with what is said to it: // ✗ [LINE:COLUMN] CODE: …")]
    file = folder / "mistake.js"
    file.write_text("".join(f"{line}\n" for line in source), encoding="utf-8")
    place, _, message = mark[2].partition(" ")
    expected = f"{file.name}:{place}: {message}" if ":" in place.rstrip(":") else mark[2]
    found: list[str] = []
    for words in (["check", str(file)], ["simulate", str(file), "--visitor", "v1", "--at", AT]):
        ended = CliRunner().invoke(main, words, env=_SETTINGS, prog_name="experience")
        found += ended.output.splitlines()
        if ended.exit_code != 0:
            break
    if any(_fits(expected, line) for line in found):
        return []
    return [(len(source), "\n".join([f"expected {expected}; there is", *found]))]


def _variation(lines: Sequence[str]) -> tuple[str, list[Mark]]:
    """The example as a variation that tells what each marked statement came to."""
    marks: list[Mark] = []
    body: list[str] = []
    statement_at = 0
    for number, line in enumerate(lines):
        if found := _MARK.match(line):
            marks.append(Mark(number, found[1], found[2]))
            if found[1] in ("→", "✗"):
                body[statement_at:] = [_telling(number, found[1], body[statement_at:])]
                statement_at = len(body)
        else:
            if line[:1] not in ("", " ", "}", ")", "]"):
                statement_at = len(body)
            body.append(line)
    return _HEAD + "".join(f"{line}\n" for line in body) + "}\n", marks


def _telling(number: int, kind: str, statement: Sequence[str]) -> str:
    text = "\n".join([*statement]).rstrip()
    if kind == "→" and (named := _NAMED.match(text)):
        return f"{text}\nshow({number}, {named[1]})"
    expression = _REMARK.sub("", text)
    call = f"await (async () => ({expression}))()"
    if kind == "→":
        return f";show({number}, {call})"
    return f";try {{ {call}; show({number}, 'not refused') }} catch (error) {{ refused({number}, error) }}"


def _disagreements(marks: Sequence[Mark], document: Mapping[str, Any]) -> list[tuple[int, str]]:
    told = {
        line["metadata"]["number"]: line["metadata"]
        for line in document["log"]
        if line["logger"].endswith(":example")
    }
    logged = [f"{line['level']}: {line['message']}" for line in document["log"]]
    emitted = [f"{event['type']}: {_spelled(event['data'])}" for event in document["events"]]
    wrong = []
    for mark in marks:
        if mark.kind in ("→", "✗"):
            found = told.get(mark.line, {"kind": "nothing", "text": ""})
            text = _spelled(found["text"]) if found["kind"] == "→" else found["text"]
            if found["kind"] != mark.kind or not _fits(mark.text, text):
                wrong.append(
                    (mark.line, f"expected {mark.kind} {mark.text}\n   found {found['kind']} {text}")
                )
        elif mark.kind in ("log", "event"):
            among = logged if mark.kind == "log" else emitted
            if not any(_fits(mark.text, text) for text in among):
                wrong.append((mark.line, f"no {mark.kind} is {mark.text!r}; there are {among}"))
    promised = [mark for mark in marks if mark.kind == "then:"]
    became = [_became(each) for each in document["executions"]]
    if promised and not (
        len(promised) == len(became)
        and all(_fits(mark.text, text) for mark, text in zip(promised, became, strict=True))
    ):
        wrong.append((promised[0].line, f"the executions became {became}"))
    return wrong


def _fits(expected: str, found: str) -> bool:
    return agrees((expected,), [found])


def _became(execution: Mapping[str, Any]) -> str:
    because = "" if execution["reason"] is None else f", because: {execution['reason']}"
    return f"{execution['integration']} {execution['status']}{because}"


def _spelled(value: object) -> str:
    """A value, or its JSON text, as the examples spell JSON."""
    if isinstance(value, str):
        try:
            return json.dumps(json.loads(value), ensure_ascii=False)
        except ValueError:
            return value
    return json.dumps(value, ensure_ascii=False)
