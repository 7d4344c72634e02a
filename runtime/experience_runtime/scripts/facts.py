"""Facts: what the reader found in an experience's files, as values."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from experience_runtime.running.guest import Problem

UNKNOWN: Final = object()
"""The value of an expression that only running can tell."""

Place = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Member:
    """One member of an object literal: the place of its name, and its value."""

    name_at: Place
    literal: "Literal"


@dataclass(frozen=True, slots=True)
class Literal:
    """An expression: where it begins, and its first words. `members` is None unless it is an object literal.

    `is_whole`: no spread and no computed name could add a member. `value` is UNKNOWN as soon as a part is.
    """

    at: Place
    text: str
    value: object
    members: Mapping[str, Member] | None = None
    is_whole: bool = True
    is_spread: bool = False


@dataclass(frozen=True, slots=True)
class Link:
    """One `.integration(name, defaults)`."""

    name: Literal
    defaults: Literal | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One call of a verb; `at` is the place of the verb's name. `options` is None when the call has none.

    `lost` are the members of its payload that JSON cannot carry, by their kind. `is_expected`: whoever
    handles its rejection looks at the code, and so may mean to be refused.
    """

    verb: str
    at: Place
    defaults: Literal | None
    options: Literal | None
    lost: Sequence[tuple[str, Place]]
    is_expected: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait:
    """What triggers wait for, or read: `kind` is event, poll, browser, visitor or cookie."""

    kind: str
    name: str
    file: str
    line: int
    column: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FileFacts:
    """What one file does. `members` are those read of an integration that it may not have.

    `decides_nothing`: they are triggers that export no function. `returned` is where the function stands that
    a variation returns. `answers_early`: where async triggers leave their callback to a listener.
    """

    file: str
    links: Sequence[Link]
    calls: Sequence[Call]
    members: Sequence[tuple[str, bool, Place]]
    problems: Sequence[Problem]
    is_blank: bool
    decides_nothing: bool = False
    returned: Place | None = None
    waits: Sequence[Wait] = ()
    answers_early: Place | None = None

    def problem(self, code: str, message: str, at: Place) -> Problem:
        """A problem at a place of this file."""
        return Problem(code=code, message=message, file=self.file, line=at[0], column=at[1])


def read_facts(answer: Sequence[Mapping[str, Any]]) -> list[FileFacts]:
    """The reader's answer to a check."""
    return [
        FileFacts(
            file=each["file"],
            links=[Link(_known(link["name"]), read_literal(link["defaults"])) for link in each["links"]],
            calls=[_call(call) for call in each["calls"]],
            members=[
                (member["member"], member["is_called"], (member["line"], member["column"]))
                for member in each["members"]
            ],
            problems=[Problem(file=each["file"], **problem) for problem in each["problems"]],
            is_blank=each["is_blank"],
            decides_nothing=each["decides_nothing"],
            returned=_place(each["returned"]),
            waits=[Wait(file=each["file"], **wait) for wait in each["waits"]],
            answers_early=_place(each["answers_early"]),
        )
        for each in answer
    ]


def _place(answer: Sequence[int] | None) -> Place | None:
    return None if answer is None else (answer[0], answer[1])


def read_literal(answer: Mapping[str, Any] | None, *, lines_above: int = 0) -> Literal | None:
    """A literal of the reader's; None for one that is not there. `lines_above` are of no file's."""
    return None if answer is None else _known(answer, lines_above)


def _known(answer: Mapping[str, Any], lines_above: int = 0) -> Literal:
    at = (answer["at"][0] - lines_above, answer["at"][1])
    if answer.get("is_spread"):
        return Literal(at, "", UNKNOWN, is_spread=True)
    value: object = answer["value"] if answer["is_known"] else UNKNOWN
    members = answer["members"]
    if members is None:
        return Literal(at, answer["text"], value)
    known = {
        name: Member(
            (each["name_at"][0] - lines_above, each["name_at"][1]), _known(each["literal"], lines_above)
        )
        for name, each in members.items()
    }
    values = {name: member.literal.value for name, member in known.items()}
    is_known = answer["is_whole"] and not any(each is UNKNOWN for each in values.values())
    return Literal(at, answer["text"], values if is_known else UNKNOWN, known, answer["is_whole"])


def _call(answer: Mapping[str, Any]) -> Call:
    return Call(
        verb=answer["verb"],
        at=(answer["at"][0], answer["at"][1]),
        defaults=read_literal(answer["defaults"]),
        options=read_literal(answer["options"]),
        lost=[(each["what"], (each["line"], each["column"])) for each in answer["lost"]],
        is_expected=answer["is_expected"],
    )
