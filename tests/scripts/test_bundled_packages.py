"""Packages that a bundler put into a file are no mistakes of its author: `check` finds nothing in them.

The shapes are those of esbuild and of UMD, small. The real packages, as `packages/package-lock.json` pins
them, are bundled and checked too: where everything is required, and where NPM_FOLDER names a folder in
which `npm ci` has put them.
"""

import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest
from experience_runtime.scripts.names import SUPPORTED_INTL
from experience_runtime.scripts.rules import find_all

from tests.conftest import NOW, Lab
from tests.support import npm

RUNS = "module.exports = function variation (options) { options.log.info(make(1)) }"
SHAPES: Mapping[str, str] = {
    "esbuild around CommonJS": (
        "var __commonJS = (cb, mod) => function () {\n"
        "  return mod || (0, cb[Object.keys(cb)[0]])((mod = { exports: {} }).exports, mod), mod.exports }\n"
        'var require_a = __commonJS({ "node_modules/a/index.js" (exports, module) {\n'
        "  exports.mount = function (x) { document.body.append(x); window.location.href = x }\n"
        "  exports.load = url => fetch(url).then(r => r.json())\n"
        "  if (typeof process === 'object') module.exports.isNode = process.version\n} })\n"
        "var a = require_a(), make = x => x\n"
    ),
    "esbuild's own require": (
        'var __require = ((x) => typeof require !== "undefined" ? require : typeof Proxy !== "undefined" ?\n'
        '  new Proxy(x, { get: (a, b) => (typeof require !== "undefined" ? require : a)[b] }) : x)(\n'
        "function (x) {\n"
        '  if (typeof require !== "undefined") return require.apply(this, arguments)\n'
        "  throw Error('Dynamic require of \"' + x + '\" is not supported') })\nvar make = x => x\n"
    ),
    "UMD": (
        "(function (root, factory) {\n"
        "  if (typeof define === 'function' && define.amd) define(['jquery'], factory)\n"
        "  else if (typeof exports === 'object' && typeof module !== 'undefined' && root.never) "
        "factory(require('jquery'))\n"
        "  else root.lib = factory(root.jQuery)\n"
        "}(this, function ($) { return { show: function () { $('a').show() } } }))\nvar make = x => x\n"
    ),
    "a library that looks before it touches": (
        "var hasDom = typeof window < 'u' && typeof document < 'u'\n"
        "var nodeUtil = (function () { try { return process.binding('util') } catch (e) {} }())\n"
        "var clone = typeof Buffer !== 'undefined' ? Buffer.from : undefined\n"
        "function text (e) { return hasDom ? document.createTextNode(e) : e }\n"
        "var make = x => text(x)\n"
    ),
    "classes that only a page would make": (
        "class View { mount () { this.root = document.body; alert('x') }\n"
        "  schedule (a, b) { return this.queue.schedule(a, b) } }\nvar make = x => x\n"
    ),
}


@pytest.mark.parametrize("text", SHAPES.values(), ids=SHAPES.keys())
def test_a_bundled_package_is_no_mistake(lab: Lab, text: str) -> None:
    assert find_all(lab.bundle(text + RUNS), lab.registry, NOW) == ([], [])


PACKAGES = {
    "lodash": "module.exports = o => o.log.info(require('lodash').chunk([1, 2, 3], 2))",
    "date-fns": "module.exports = o => o.log.info(require('date-fns').format(new Date(0), 'yyyy'))",
    "dayjs": "module.exports = o => o.log.info(require('dayjs')(0).format('YYYY'))",
    "zod": "module.exports = o => o.log.info(require('zod').z.string().safeParse('a').success)",
    "preact": "module.exports = o => o.log.info(require('preact').h('div').type)",
}


@pytest.fixture(scope="module")
def npm_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return npm.folder(tmp_path_factory)


@pytest.mark.parametrize("options", [[], ["--minify"]], ids=["plain", "minified"])
@pytest.mark.parametrize("package", PACKAGES)
def test_a_real_package_is_no_mistake(lab: Lab, npm_folder: Path, package: str, options: list[str]) -> None:
    bundled = subprocess.run(
        [
            npm_folder / "node_modules" / ".bin" / "esbuild",
            "--bundle",
            "--format=cjs",
            "--platform=neutral",
            "--main-fields=main,module",
            *options,
        ],
        input=PACKAGES[package],
        cwd=npm_folder,
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    ).stdout

    assert find_all(lab.bundle(bundled), lab.registry, NOW) == ([], [])


def test_the_parts_of_intl_that_check_knows_are_those_that_are_there(lab: Lab) -> None:
    names = ("Collator", "DateTimeFormat", "DisplayNames", "DurationFormat", "ListFormat", "Locale")
    more = ("NumberFormat", "PluralRules", "RelativeTimeFormat", "Segmenter")
    said = lab.says(f"for (const n of {[*names, *more]}) if (n in Intl) options.log.info(n)")

    assert sorted(said) == sorted(SUPPORTED_INTL)
