# Guest code reads better unbroken.
# ruff: noqa: E501
"""What `check` says of triggers that wait: for which event or poll, and what they read."""

from collections.abc import Mapping

import pytest
from experience_runtime.scripts.rules import find_all, waits_of

from tests.conftest import NOW, Lab

VARIATION = "module.exports = o => { o.log.info('fired') }"
EARLY = "async triggers say yes when they end"

WAITS: Mapping[str, list[str]] = {
    "module.exports = function (options, cb) { options.uv.on('ecView', () => cb()).replay() }": [
        "event ecView"
    ],
    "module.exports = (o, cb) => { o.uv.once(/^ec(Basket|View)/i, function (e) { cb(e.total > 1) }) }": [
        "event /^ec(Basket|View)/i"
    ],
    "export default function triggers ({ uv, poll: wait, getBrowserState, cookies }, cb) {\n"
    "  const NAME = 'ecBasketSummary'; uv.on(NAME, cb); uv.onEventSent('a.ecView', cb)\n"
    "  wait(['window.basket', () => window.x]).then(cb); cookies.get('group')\n"
    "  getBrowserState().then(({ url, ua: { deviceType } }) => cb()) }": [
        "event NAME",
        "event a.ecView",
        "poll window.basket",
        "poll () => window.x",
        "cookie group",
        "browser url",
        "browser ua",
    ],
    "module.exports = async function (options) {\n"
    "  const browser = await options.getBrowserState(); const v = options.getVisitorState().value\n"
    "  if (browser.url.includes('x') && browser.ua.deviceType === 'mobile') return false\n"
    "  return v.sessionNumber > 1 && (await options.getVisitorState()).country === 'FR' }": [
        "browser url",
        "browser ua.deviceType",
        "visitor sessionNumber",
        "visitor country",
    ],
    "module.exports = cb => { cb.uv.on('ecView', cb); cb.getBrowserState().then(b => cb(/x/.test(b.url))) }": [
        "event ecView",
        "browser url",
    ],
    # nobody waits: what is never called, another's uv, a name of the file
    "module.exports = (o, cb) => { const never = () => o.uv.on('ecView', cb); const uv = make(); uv.on('a', cb); cb() }\n"
    "function make () { return { on () {} } }": [],
    "module.exports = (o, cb) => { o.uv.emit('a', 1); o.uv.on(); o.cookies.set('a', 'b'); cb() }": [],
}


@pytest.mark.parametrize(("triggers", "expected"), WAITS.items())
def test_triggers_say_what_they_wait_for(lab: Lab, triggers: str, expected: list[str]) -> None:
    script = lab.bundle({"triggers.js": triggers, "variation.js": VARIATION})

    waits = waits_of(script)

    assert sorted(f"{each.kind} {each.name}" for each in waits) == sorted(expected)
    assert all(each.file == "triggers.js" and each.line >= 1 for each in waits)
    assert find_all(script, lab.registry, NOW) == ([], [])


def test_a_variation_that_listens_waits_for_nothing(lab: Lab) -> None:
    assert waits_of(lab.bundle("module.exports = o => { o.uv.on('ecView', () => {}) }")) == []


# whether the run fires for somebody of whom no such event is known, and whether check warns of it
ASYNC: Mapping[str, tuple[bool, bool]] = {
    "async (o, cb) => { o.uv.on('ecView', () => cb()).replay() }": (True, True),
    "async function (o, cb) { const b = await o.getBrowserState(); o.uv.once('ecView', e => { if (b) cb(e.x) }) }": (True, True),
    "(o, cb) => { o.uv.on('ecView', () => cb()).replay() }": (False, False),
    "async (o, cb) => { await new Promise(yes => o.uv.on('ecView', () => { cb(); yes() })) }": (False, False),
    "async (o, cb) => { o.uv.on('ecView', () => cb(true)); return new Promise(() => {}) }": (False, False),
    "async (o, cb) => { o.uv.on('ecView', () => cb(true)); cb(false) }": (False, False),
    "async (o, cb) => { o.uv.on('ecView', () => cb(true)); return false }": (False, False),
}  # fmt: skip


@pytest.mark.parametrize(("triggers", "outcome"), ASYNC.items())
def test_async_triggers_that_say_yes_before_their_event_are_warned_of(
    lab: Lab, triggers: str, outcome: tuple[bool, bool]
) -> None:
    script = lab.bundle({"triggers.js": f"module.exports = {triggers}", "variation.js": VARIATION})

    fired = "fired" in [line["message"] for line in lab.run(script).log]
    _, warnings = find_all(script, lab.registry, NOW)

    assert (fired, [each.message[:36] for each in warnings]) == (outcome[0], [EARLY] if outcome[1] else [])
