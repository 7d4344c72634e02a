# Guest code reads better unbroken.
# ruff: noqa: E501
"""ES modules and TypeScript run as they are written, and every place in them is the author's own."""

from collections.abc import Mapping

import pytest
from experience_runtime.domain.errors import ScriptModuleNotFound, ScriptSyntaxError

from tests.conftest import Lab

UTILS = "exports.greet = name => 'Hello ' + name; exports.word = 'hi'"

# files -> what is logged
RUNS: Mapping[str, tuple[Mapping[str, str], str]] = {
    "an import of names": (
        {
            "utils.js": UTILS,
            "variation.js": "import { greet, word as w } from './utils'\nexport default o => o.log.info(greet(w))",
        },
        "Hello hi",
    ),
    "an import over several lines": (
        {
            "utils.js": UTILS,
            "variation.js": "import {\n  greet,\n  word,\n} from './utils.js'\nexport default o => o.log.info(greet(word))",
        },
        "Hello hi",
    ),
    "an import of everything": (
        {
            "utils.js": UTILS,
            "variation.js": 'import * as u from "./utils"\nmodule.exports = o => o.log.info(u.word)',
        },
        "hi",
    ),
    "an import of a CommonJS module as a default": (
        {
            "utils.js": "module.exports = { word: 'hi' }",
            "variation.js": "import u from './utils'; export default o => o.log.info(u.word)",
        },
        "hi",
    ),
    "an import of a default and names": (
        {
            "utils.js": "export default 'd'\nexport const a = 'a'",
            "variation.js": "import d, { a } from './utils'\nexport default o => o.log.info(d + a)",
        },
        "da",
    ),
    "an import for its effect": (
        {
            "utils.js": "globalThis.seen = 'yes'",
            "variation.js": "import './utils'\nexport default o => o.log.info(seen)",
        },
        "yes",
    ),
    "an import of JSON": (
        {
            "prices.json": '{"a": 3}',
            "variation.js": "import prices from './prices.json' with { type: 'json' }\nexport default o => o.log.info(String(prices.a))",
        },
        "3",
    ),
    "exports of every kind": (
        {
            "utils.js": (
                "export const a = 'a', { b, c: [d], ...rest } = { b: 'b', c: ['d'], e: 'e' }\n"
                "export function f () { return 'f' }\nexport class G { h () { return 'h' } }\n"
                "let i = 'i'; export { i as j, i as 'k-l' }\nexport async function m () { return 'm' }"
            ),
            "variation.js": (
                "import * as u from './utils'\nexport default async o => o.log.info(\n"
                "  u.a + u.b + u.d + u.rest.e + u.f() + new u.G().h() + u.j + u['k-l'] + await u.m())"
            ),
        },
        "abdefhiim",
    ),
    "an export that changes later": (
        {
            "utils.js": "export let n = 1\nexport const more = () => { n += 1 }",
            "variation.js": "import { more } from './utils'\nimport * as u from './utils'\nexport default o => { more(); o.log.info(String(u.n)) }",
        },
        "2",
    ),
    "an export of another file's": (
        {
            "common.js": UTILS,
            "utils.js": "export { word as w } from './common'\nexport * from './common'",
            "variation.js": "import { greet, w } from './utils'\nexport default o => o.log.info(greet(w))",
        },
        "Hello hi",
    ),
    "a default by a list": (
        {"variation.js": "const run = o => o.log.info('ran')\nexport { run as default }"},
        "ran",
    ),
    "a default with other exports beside it": (
        {
            "variation.js": "export const unused = 1\nexport default function run (o) { o.log.info(run.name + unused) }"
        },
        "run1",
    ),
    "a default class that is used above": (
        {
            "utils.js": "export const make = () => new A()\nexport default class A { b () { return 'b' } }",
            "variation.js": "import A, { make } from './utils'\nexport default o => o.log.info(make().b() + (make() instanceof A))",
        },
        "btrue",
    ),
    "a default in front of a bracket": (
        {"variation.js": "export default function (o) { o.log.info('ran') }\n(function () {})()"},
        "ran",
    ),
    "the words in a comment, a string and a template": (
        {
            "variation.js": "// export default 1\nconst a = 'import x from y', b = `\nexport default 2\nimport './z'\n`\nmodule.exports = o => o.log.info(a + b.length)"
        },
        "import x from y31",
    ),
    "TypeScript": (
        {
            "utils.ts": "export interface Named { name: string }\nexport const greet = <T extends Named>(who: T): string => `Hello ${who.name!}` as string",
            "variation.ts": (
                "import { greet, type Named } from './utils'\nimport type { Other } from './types'\n"
                "declare const unused: number\ntype Options = { log: any }\n"
                "export default async function variation (this: void, options: Options, n?: number): Promise<void> {\n"
                "  const who = { name: 'Ada' } satisfies Named\n  let late!: string\n  late = greet<Named>(who)\n"
                "  options.log.info(late as any)\n}"
            ),
        },
        "Hello Ada",
    ),
    "TypeScript's classes": (
        {
            "variation.ts": (
                "abstract class Base<T> { protected abstract kind (): string\n  readonly a?: T; static s: number = 1\n"
                "  say (a: string): string\n  say (a: any) { return this.kind() + a } }\n"
                "class Own extends Base<string> implements Iterable<string> { declare b: string; private c = 'c'\n"
                "  override kind () { return this.c }\n  [Symbol.iterator] (): any {}\n  [key: string]: any }\n"
                "export default (o: any) => o.log.info(new Own().say('x'))"
            )
        },
        "cx",
    ),
    "a type whose line would go on without it": (
        {
            "variation.ts": "export default (o: any) => {\n  const a = 'a' as string\n  ;['b'].map(b => a + b)\n  let c = a as any\n  (o.log.info as any)(c)\n  type D = string\n  ;(0, c)\n}"
        },
        "a",
    ),
    "a result type over several lines": (
        {
            "variation.ts": "const f = (a: string): {\n  b: string\n} => ({ b: a })\nexport default (o: any) => o.log.info(f('b').b)"
        },
        "b",
    ),
    "a bare function of TypeScript": ({"variation.ts": "(o: any) => { o.log.info('ran') }"}, "ran"),
    "triggers and a global script of TypeScript": (
        {
            "global.ts": "var n: number = 1",
            "triggers.ts": "export default (o: any, cb: () => void) => { n++; cb() }",
            "variation-7.ts": "declare var n: number\nexport default (o: any) => o.log.info(String(n))",
        },
        "2",
    ),
}


@pytest.mark.parametrize(("files", "said"), RUNS.values(), ids=RUNS.keys())
def test_a_form_runs(lab: Lab, files: Mapping[str, str], said: str) -> None:
    report = lab.run(files)

    assert report.error is None, report.error
    assert [line["message"] for line in report.log] == [said]


# files -> file, line and column of the `throw`
PLACES: Mapping[str, tuple[Mapping[str, str], tuple[str, int, int]]] = {
    "behind an import on its line": (
        {
            "utils.js": UTILS,
            "variation.js": "import { greet } from './utils'; export default () => { throw new Error('x') }",
        },
        ("variation.js", 1, 67),
    ),
    "behind two imports over lines": (
        {
            "utils.js": UTILS,
            "variation.js": "import {\n greet } from './utils'; import { word } from './utils'; export default () => { throw new Error('x') }",
        },
        ("variation.js", 2, 91),
    ),
    "in a file with exports": (
        {
            "utils.js": "export const é = 'é'; export const f = () => { throw new Error('x') }",
            "variation.js": "import { f } from './utils'\nexport default () => f()",
        },
        ("utils.js", 1, 58),
    ),
    "behind types": (
        {"variation.ts": "export default (o: any, é?: string): void => { throw new Error('x' as string) }"},
        ("variation.ts", 1, 58),
    ),
    "an import that brings nothing": (
        {"variation.js": "const a = 1; import _ from 'lodash'\nexport default () => {}"},
        ("variation.js", 1, 14),
    ),
}


@pytest.mark.parametrize(("files", "place"), PLACES.values(), ids=PLACES.keys())
def test_a_place_is_the_authors(lab: Lab, files: Mapping[str, str], place: tuple[str, int, int]) -> None:
    problem = lab.fails(files)

    assert (problem.file, problem.line, problem.column) == place


NEEDS_CODE: Mapping[str, tuple[str, int, int, str]] = {
    "an enum": ("\nenum A { B }", 2, 1, "write const Name = { A: 'a' } as const"),
    "a namespace": ("namespace A { export const b = 1 }", 1, 1, "write an object"),
    "a parameter property": (
        "class A { constructor (private a: string) {} }",
        1,
        24,
        "declare a field and assign it",
    ),
    "an assertion in brackets": ("const a = <any>b", 1, 11, "write value as Type"),
    "an import by require": ("import a = require('./utils')", 1, 8, "write import name from './utils'"),
    "an export by assignment": ("export = 1", 1, 1, "write export default"),
}


@pytest.mark.parametrize(("text", "line", "column", "part"), NEEDS_CODE.values(), ids=NEEDS_CODE.keys())
def test_what_needs_code_of_its_own_is_refused_with_its_place(
    lab: Lab, text: str, line: int, column: int, part: str
) -> None:
    with pytest.raises(ScriptSyntaxError) as raised:
        lab.bundle({"variation.ts": text})

    assert (raised.value.file, raised.value.line, raised.value.column) == ("variation.ts", line, column)
    assert part in raised.value.message


def test_one_name_in_both_languages_is_refused(lab: Lab) -> None:
    for files in (
        {"variation.js": "", "variation.ts": ""},
        {"variation.js": "", "utils.js": "", "utils.ts": ""},
    ):
        with pytest.raises(ScriptModuleNotFound, match=r"are both there; keep one of them"):
            lab.bundle(files)
