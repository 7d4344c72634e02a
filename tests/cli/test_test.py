"""experience test: every story of a folder, a line each; and check and simulate of many experiences."""

import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from .conftest import CommandLine, variation, write

RUN = {"do": "run", "visitor": "ada"}
STORY: dict[str, Any] = {
    "at": "2026-03-06T16:30:00Z",
    "visitors": [{"id": "ada", "timezone": "Europe/Paris"}],
    "steps": [RUN],
    "expect": [{"visitor": "ada", "status": "succeeded", "due_at": "2026-03-06T17:30:00Z"}],
}
WRONG = STORY | {"expect": [{"visitor": "ada", "status": "cancelled"}]}


def _experience(path: str, delay: str = "1 hour") -> None:
    write(Path(path), variation(f"return slack.schedule('hi', {{key: 'k', delay: '{delay}'}})"))


def _story(path: str, story: Any = None) -> Path:
    return write(Path(path), json.dumps(STORY if story is None else story))


@pytest.fixture
def campaigns() -> None:
    _experience("campaigns/basket/variation.js")
    _story("campaigns/basket/story.json")
    _story("campaigns/basket/stories/wrong.story.json", WRONG)
    _experience("campaigns/hello.js")
    _story("campaigns/hello.story.json")
    _experience("campaigns/node_modules/other/variation.js")
    _story("campaigns/node_modules/other/story.json", WRONG)
    _story("campaigns/.hidden/story.json", WRONG)


@pytest.mark.usefixtures("campaigns")
def test_every_story_below_here_is_played_a_line_each(cli: CommandLine) -> None:
    said = cli("test")

    assert said.code == 1
    lines = [line.split() for line in said.out.splitlines() if not line.startswith(" ")]
    assert [line[:2] for line in lines] == [
        ["passed", "campaigns/hello.story.json"],
        ["passed", "campaigns/basket/story.json"],
        ["FAILED", "campaigns/basket/stories/wrong.story.json"],
        ["2", "passed,"],
    ]
    assert "cancelled" in said.out
    assert "succeeded" in said.out


@pytest.mark.usefixtures("campaigns")
def test_paths_and_words_choose(cli: CommandLine) -> None:
    one = cli.json("test", "campaigns/hello.story.json")
    chosen = cli.json("test", "campaigns", "-k", "BASKET campaigns/basket/story")

    assert [each["story"] for each in one["stories"]] == ["campaigns/hello.story.json"]
    assert [each["experience"] for each in one["stories"]] == ["campaigns/hello.js"]
    assert [each["story"] for each in chosen["stories"]] == ["campaigns/basket/story.json"]
    assert chosen["stories"][0]["met"] == 1
    assert (chosen["ok"], chosen["passed"], chosen["failed"]) == (True, 1, 0)


@pytest.mark.usefixtures("campaigns")
def test_no_story_at_all_is_refused_with_what_to_do(cli: CommandLine) -> None:
    Path("empty").mkdir()

    assert "experience new" in cli("test", "empty", "--json").refusal["message"]
    assert "none of the 3 stories" in cli("test", "-k", "nothing", "--json").refusal["message"]


def test_a_story_beside_one_file_is_told_of_that(cli: CommandLine) -> None:
    _experience("a/reminder.js")
    _story("a/story.json")

    assert cli.json("test")["stories"][0]["experience"] == "a/reminder.js"


def test_a_story_without_its_experience_fails(cli: CommandLine) -> None:
    _story("lost/story.json")

    said = cli("test")

    assert said.code == 1
    assert "reminder.story.json" in said.out


@pytest.mark.parametrize(
    ("name", "content", "part"),
    [
        ("story.json", "{", "not JSON"),
        ("story.json", '{"steps": [{"do": "run", "speed": 3}]}', "speed"),
        ("variation.js", "module.exports = function (", "variation.js:1"),
        ("variation.js", "module.exports = () => { throw new Error('no luck') }", "no luck"),
        ("package.json", "{", "package.json"),
    ],
)
def test_what_cannot_be_played_fails_and_the_others_are_played(
    cli: CommandLine, name: str, content: str, part: str
) -> None:
    for folder in ("a", "b"):
        _experience(f"{folder}/variation.js")
        _story(f"{folder}/story.json")
    write(Path("a", name), content)

    said = cli("test", "--json")

    assert said.code == 1
    assert [each["ok"] for each in said.document["stories"]] == [False, True]
    assert part in cli("test").out


@pytest.mark.usefixtures("campaigns")
def test_junit_tells_failures_from_errors(cli: CommandLine) -> None:
    write(Path("campaigns/broken.js"), "module.exports = () => { throw new Error('bell \\u0007 <&') }")
    _story("campaigns/broken.story.json", STORY | {"expect": []})

    assert cli("test", "--junit", "out.xml").code == 1

    suite = ElementTree.parse("out.xml").getroot()[0]
    kinds = {case.get("name"): [child.tag for child in case] for case in suite}
    assert kinds == {
        "campaigns/hello.story.json": [],
        "campaigns/broken.story.json": ["error"],
        "campaigns/basket/story.json": [],
        "campaigns/basket/stories/wrong.story.json": ["failure"],
    }
    assert [suite.get(name) for name in ("tests", "failures", "errors")] == ["4", "1", "1"]


@pytest.mark.parametrize(
    "text",
    [
        json.dumps(WRONG),
        json.dumps(WRONG, indent=4),
        '{ "steps": [{"do":"run", "visitor": "}\\"{b"}],\n\n "expect" : [ {"reason":"x"} ] ,\n"for": "7d"}',
    ],
)
def test_update_writes_what_happened_and_leaves_the_rest_as_it_was(cli: CommandLine, text: str) -> None:
    _experience("a/variation.js")
    path = write(Path("a/story.json"), text)

    said = cli("test", "--update")

    assert said.code == 0
    assert "read the difference" in said.err
    after = path.read_text()
    before, _, rest = text.partition('"expect"')
    assert after.startswith(before)
    assert after.endswith(rest[rest.rindex("]") + 1 :])
    (expected,) = json.loads(after)["expect"]
    assert expected["status"] == "succeeded"
    assert expected["key"] == "k"
    assert cli("test", "--update").err == ""
    assert path.read_text() == after


def test_update_leaves_a_story_that_cannot_be_played(cli: CommandLine) -> None:
    write(Path("a/variation.js"), "throw new Error('no')")
    path = _story("a/story.json", STORY | {"expect": []})
    before = path.read_text()

    assert cli("test", "--update").code == 1
    assert path.read_text() == before


@pytest.mark.usefixtures("campaigns")
def test_check_takes_many_and_folders_of_experiences(cli: CommandLine) -> None:
    write(Path("campaigns/bad/variation.js"), "module.exports = () => { document.title }")

    said = cli("check", "campaigns", "campaigns/hello.js", "--json")

    assert said.code == 1
    assert [(each["path"], each["ok"]) for each in said.document["experiences"]] == [
        ("campaigns/bad", False),
        ("campaigns/basket", True),
        ("campaigns/hello.js", True),
    ]
    assert said.document["ok"] is False
    assert "campaigns/bad" in cli("check", "campaigns").out
    assert set(cli.json("check", "campaigns/basket")) == {"ok", "problems", "warnings", "waits"}


def test_check_speaks_githubs_annotations(cli: CommandLine) -> None:
    write(Path("a, b/variation.js"), "module.exports = () => {\n  document.title\n}")

    said = cli("check", ".", "--format", "github")

    assert said.code == 1
    (line,) = said.out.splitlines()
    assert line.startswith("::error file=a%2C b/variation.js,line=2,col=3,title=")
    assert "document" in line.rpartition("::")[2]


def test_check_speaks_sarif(cli: CommandLine) -> None:
    write(Path("a b/variation.js"), "module.exports = () => {\n  document.title\n}")

    said = cli("check", ".", "--format", "sarif")

    (run,) = said.document["runs"]
    (result,) = run["results"]
    place = result["locations"][0]["physicalLocation"]
    assert said.document["version"] == "2.1.0"
    assert (result["level"], place["artifactLocation"]["uri"]) == ("error", "a%20b/variation.js")
    assert place["region"] == {"startLine": 2, "startColumn": 3}
    assert [rule["id"] for rule in run["tool"]["driver"]["rules"]] == [result["ruleId"]]
    assert "two forms" in cli("check", ".", "--format", "sarif", "--json").refusal["message"]


@pytest.mark.usefixtures("campaigns")
def test_simulate_takes_many(cli: CommandLine) -> None:
    _experience("campaigns/late/variation.js", "2 hours")
    _story("campaigns/late/story.json")

    said = cli("simulate", "campaigns", "--json")

    assert said.code == 1
    assert [each["path"] for each in said.document["experiences"]] == ["campaigns/basket", "campaigns/late"]
    assert ["differences" in each for each in said.document["experiences"]] == [False, True]
    assert "campaigns/late" in cli("simulate", "campaigns").out
