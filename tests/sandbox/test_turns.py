"""What a worker says is not taken on trust: one whose engine was broken into may say anything."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from experience_runtime.running.guest import Emitted, Limits, LogLine, Marshalled, Request, Thrown, Turn
from experience_runtime.sandbox import turns
from experience_runtime.sandbox.turns import Allowance

HEAD = b"O1500 \n"
LINE = {"kind": "log", "at": 0, "level": "info", "logger": "a", "message": "b", "metadata": None}
CALL = {
    "kind": "call",
    "id": 1,
    "verb": "schedule",
    "integration": "echo",
    "payload": {"text": 1},
    "options": {"path": "options.key", "what": "a function"},
    "defaults": {},
    "stack": "    at variation (variation.js:1:1)",
}


def read_turn(frame: bytes) -> Turn:
    return turns.read_turn(frame, Allowance(Limits()))


def frame(state: object, head: bytes = HEAD) -> bytes:
    return head + (state if isinstance(state, bytes) else json.dumps(state).encode()) + b"\n{}"


def with_item(item: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return {"outbox": [item | changes]}


def test_a_turn_is_read() -> None:
    event = {"kind": "event", "type": "sale", "data": {"a": [1]}}
    thrown = {"role": "variation", "code": "", "text": "Error: x", "stack": "    at f"}
    turn = read_turn(
        frame(
            {
                "outbox": [LINE, event, CALL],
                "triggers": "yes",
                "variation": "failed",
                "error": thrown,
                "wakeAt": 1000,
                "listeners": True,
                "phase": "describing",
                "limit": "limit_log",
            }
        )
    )

    assert turn.outbox == [
        LogLine(at=datetime(1970, 1, 1, tzinfo=UTC), level="info", logger="a", message="b"),
        Emitted(type="sale", data={"a": [1]}),
        Request(
            id=1,
            verb="schedule",
            integration="echo",
            payload=Marshalled(text="{}"),
            options=Marshalled(path="options.key", what="a function"),
            defaults=Marshalled(),
            stack="    at variation (variation.js:1:1)",
        ),
    ]
    assert turn.thrown == Thrown(**thrown)
    assert turn.wake_at == datetime(1970, 1, 1, 0, 0, 1, tzinfo=UTC)
    assert (turn.triggers, turn.variation, turn.limit) == ("yes", "failed", "limit_log")
    assert (turn.listens, turn.describing, turn.cpu_seconds) == (True, True, 0.0015)


def test_a_turn_without_a_text_is_its_limit_alone() -> None:
    turn = read_turn(b'O0 {"limit": "limit_memory", "stack": ""}\n')

    assert (turn.limit, turn.outbox) == ("limit_memory", [])


def test_lone_surrogates_are_replaced_everywhere_but_in_what_goes_to_the_rules() -> None:
    half = "\ud800"
    line = LINE | {"logger": half, "message": f"a{half}b😀", "metadata": {half: [half]}}
    turn = read_turn(
        frame({"outbox": [line, CALL | {"payload": {"text": 2}}]}) + b"\n" + json.dumps(half).encode()
    )

    assert turn.outbox[0] == LogLine(
        at=datetime(1970, 1, 1, tzinfo=UTC),
        level="info",
        logger="\ufffd",
        message="a\ufffdb😀",
        metadata={"\ufffd": ["\ufffd"]},
    )
    assert isinstance(turn.outbox[1], Request)
    assert turn.outbox[1].payload.text == '"\\ud800"'


@pytest.mark.parametrize(
    "hostile",
    [
        b"",
        b"X",
        b"O",
        b"O\n",
        b'O[]\n{"outbox": []}',
        b"Otrue \n{}",
        b'O1 {"limit": null}\n{}',
        b'O1 {"limit": "limit_sky", "stack": ""}\n{}',
        frame(b"\xff"),
        frame(b"{"),
        frame(b"[" * 100_000),
        frame(b'{"outbox":[{"kind":"event","type":"a","data":' + b"[" * 100_000 + b"]" * 100_000 + b"}]}"),
        frame(b'{"outbox": [{"kind": "event", "type": "a", "data": NaN}]}'),
        frame([]),
        frame(7),
        frame({"outbox": {}}),
        frame({"outbox": [7]}),
        frame({"outbox": [{"kind": "secret"}]}),
        frame({"outbox": [{"kind": "log"}]}),
        frame(with_item(LINE, at=-1)),
        frame(with_item(LINE, at=10**18)),
        frame(with_item(LINE, at=1.5)),
        frame(with_item(LINE, at=True)),
        frame(with_item(LINE, level="fatal")),
        frame(with_item(LINE, message=["a"])),
        frame(with_item(CALL, id="1")),
        frame(with_item(CALL, verb="drop")),
        frame(with_item(CALL, integration=None)),
        frame(with_item(CALL, payload="{}")),
        frame(with_item(CALL, payload={"text": 0})),
        frame(with_item(CALL, payload={"text": 2})),
        frame(with_item(CALL, payload={"text": "{}"})),
        frame(with_item(CALL, options={"path": "options"})),
        frame(with_item(CALL, stack=None)),
        frame({"triggers": "maybe"}),
        frame({"variation": 1}),
        frame({"limit": "unlimited"}),
        frame({"wakeAt": 10**20}),
        frame({"wakeAt": "now"}),
        frame({"error": []}),
        frame({"error": {"role": "variation"}}),
    ],
)
def test_anything_else_is_refused(hostile: bytes) -> None:
    with pytest.raises(ValueError, match=r".+"):
        read_turn(hostile)
