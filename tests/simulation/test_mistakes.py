"""The mistakes of authors: each is told at its place, in these words, before or when it runs."""

import json
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from experience_runtime.domain.visitors import Visitor
from experience_runtime.runtime import Runtime
from experience_runtime.scripts.check import check_script
from experience_runtime.scripts.loading import prepare
from experience_runtime.settings.load import load_settings
from experience_runtime.simulation.play import PlayRequest

HEAD = (
    "module.exports = function variation (options) {\n  const slack = options.integration('slack-update')\n  "
)
NOW = datetime(2026, 3, 6, 15, 30, tzinfo=UTC)
ADA = Visitor(id="ada", timezone="Europe/Paris")
MISTAKES = json.loads((Path(__file__).parents[1] / "vectors" / "mistakes.json").read_text(encoding="utf-8"))


def _told(runtime: Runtime, file: Path) -> list[str]:
    """What `check` finds, or else how the run fails: `LINE:COLUMN CODE: MESSAGE`."""
    checked = check_script(
        partial(prepare, file), sandbox=runtime.sandbox, integrations=runtime.integrations, now=NOW
    )
    found = list(checked.problems)
    if not found:
        simulated = runtime.play(PlayRequest(now=NOW, visitor=ADA), prepare(file))
        found = [report.error for report in simulated.reports if report.error is not None]
    return [f"{each.line}:{each.column} {each.code}: {each.message}" for each in found]


def test_each_mistake_is_told_once_at_its_place_in_whole_sentences(tmp_path: Path) -> None:
    """The mark » stands where the place is; a code of several lines closes the function itself."""
    told, expected = {}, {}
    with Runtime(load_settings(environ={})) as runtime:
        for number, mistake in enumerate(MISTAKES):
            marked = HEAD + mistake["code"] + ("" if "\n" in mistake["code"] else "\n}\n")
            before, text = marked.partition("»")[0], marked.replace("»", "")
            line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
            file = tmp_path / f"mistake-{number}.js"
            file.write_text(text, encoding="utf-8")
            expected[mistake["code"]] = [f"{line}:{column} {mistake['said']}"]
            told[mistake["code"]] = _told(runtime, file)

    assert told == expected
    assert len(expected) >= 50
