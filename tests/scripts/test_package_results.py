"""Packages as authors bundle them give in a run what they give in node, where chance and clock are given.

`packages/programs` has what each is asked. Where everything is required, and where NPM_FOLDER names a folder
in which `npm ci` has put the packages.
"""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from experience_runtime.domain.visitors import Visitor

from tests.conftest import Lab
from tests.support import npm
from tests.support.needs import lacking

ZONE = "Europe/Paris"
PROGRAMS = sorted((Path(__file__).parent / "packages" / "programs").glob("*.js"))
ESBUILD = ("--bundle", "--format=cjs", "--target=es2020", "--conditions=browser")
SAY = "const say = (...all) => tell(all.map(String).join(' | '))"


@pytest.fixture(scope="module")
def npm_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return npm.folder(tmp_path_factory)


def run(words: list[str], text: str, folder: Path) -> str:
    environment = {**os.environ, "TZ": ZONE, "LANG": "en_US.UTF-8"}
    done = subprocess.run(
        words,
        input=text,
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda path: path.stem)
def test_a_package_gives_what_it_gives_in_node(lab: Lab, npm_folder: Path, program: Path) -> None:
    node = shutil.which("node")
    if node is None:
        lacking("node is not installed: there is nothing to compare with")
    esbuild = npm_folder / "node_modules" / ".bin" / "esbuild"
    asked = [str(esbuild), *ESBUILD, "--main-fields=browser,module,main"]
    text = run(asked, program.read_text(encoding="utf-8"), npm_folder)
    text += f"\nconst program = module.exports.default, lines = [], tell = line => lines.push(line)\n{SAY}\n"
    told = run([node, "-"], text + "program(say).then(() => console.log(JSON.stringify(lines)))", npm_folder)
    expected = json.loads(told)

    text += "module.exports = async o => { await program(say); lines.forEach(each => o.log.info(each)) }"
    report = lab.run(text, visitor=Visitor(id="ada", timezone=ZONE))

    assert report.outcome == "ran", report.error
    assert [line["message"] for line in report.log] == expected
    assert len(expected) > 1
