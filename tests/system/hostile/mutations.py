"""Mutations: new hostile scripts out of those of the corpus, the same ones for the same number."""

import random
import re

from tests.system.hostile.corpus import POLLUTIONS, SCRIPTS

_BODIES = [each.body for each in SCRIPTS + POLLUTIONS]
_WORD = re.compile(r"[A-Za-z_$][\w$]*")
_NUMBER = re.compile(r"(?<![\w$])\d[\de.]*n?")
_HUGE = (
    "2 ** 53 - 1",
    "4294967295",
    "2147483648",
    "-1",
    "1e308",
    "0",
    "NaN",
    "9n ** 9999n",
    "0.5",
    "'x'",
    "{}",
)
_FRAGMENTS = (
    "new Proxy({}, {})",
    "null",
    "echo.schedule({ a: 1 }, { delay: 1000 })",
    "options.uv.emit('x', {})",
    "throw new Error('m')",
    "await null",
    "setTimeout(() => 1)",
    "console.log(options)",
    "Symbol.iterator",
    "(() => { for (;;) {} })()",
    "arguments",
    "new URL('//a.b/c?d=e#f', 'https://x')",
    "new URLSearchParams(options)",
    "new Date(0).toLocaleString('ja-JP', { timeZone: 'Asia/Tokyo' })",
    "require('./utils', ['gone'])",
    "return function () {}",
)


def mutated(number: int) -> str:
    """The body of the script of this number."""
    chance = random.Random(number)
    body = chance.choice(_BODIES)
    for _ in range(chance.randint(1, 4)):
        body = chance.choice(_WAYS)(body, chance)[:20_000]
    return body


def _splice(body: str, chance: random.Random) -> str:
    other = chance.choice(_BODIES)
    here, there = chance.randint(0, len(body)), chance.randint(0, len(other))
    return body[:here] + other[there:]


def _follow(body: str, chance: random.Random) -> str:
    return f"try {{ {body} }} catch (e) {{ console.log(e) }}\n;{chance.choice(_BODIES)}"


def _nest(body: str, chance: random.Random) -> str:
    around = (
        "for (let q = 0; q < 3; q++) {{ {} }}",
        "setTimeout(async () => {{ {} }})",
        "await (async () => {{ {} }})()",
        "try {{ {} }} finally {{ console.log(1) }}",
        "options.uv.on('x', async () => {{ {} }}); options.uv.emit('x')",
        "queueMicrotask(async () => {{ {} }})",
        "(function () {{ eval({!r}) }})()",
    )
    return chance.choice(around).format(body)


def _repeat(body: str, chance: random.Random) -> str:
    start = chance.randint(0, len(body))
    piece = body[start : start + chance.randint(1, 20)]
    return body[:start] + piece * chance.choice((2, 3, 100)) + body[start:]


def _swap_words(body: str, chance: random.Random) -> str:
    words = _WORD.findall(body)
    if not words:
        return body
    old, new = chance.choice(words), chance.choice([*words, *_WORD.findall(chance.choice(_BODIES)), "null"])
    return re.sub(rf"\b{re.escape(old)}\b", lambda _: new, body, count=chance.choice((0, 1)))


def _replace_number(body: str, chance: random.Random) -> str:
    return _NUMBER.sub(lambda _: chance.choice(_HUGE), body, count=chance.choice((0, 1)))


def _insert(body: str, chance: random.Random) -> str:
    marks = [mark.end() for mark in re.finditer(r"[;({,]", body)] or [0]
    at = chance.choice(marks)
    return f"{body[:at]} {chance.choice(_FRAGMENTS)}; {body[at:]}"


def _cut(body: str, chance: random.Random) -> str:
    start = chance.randint(0, len(body))
    return body[:start] + body[start + chance.randint(1, 12) :]


_WAYS = (_splice, _follow, _nest, _repeat, _swap_words, _replace_number, _insert, _cut)
