"""experience types: TypeScript finds what is mistyped, and the schemas know what the runtime knows."""

import json
import re
import subprocess
import tomllib
from pathlib import Path

import pytest
from experience_runtime.cli.schemas import FILES
from experience_runtime.cli.templates import TEMPLATES, sample_names
from experience_runtime.scripts.rules import PACKAGE_META
from experience_runtime.settings.load import TOP_SETTINGS
from experience_runtime.simulation.story import Story
from jsonschema_rs import Draft202012Validator

from tests.conftest import Lab
from tests.support import npm

from .conftest import CommandLine, write

ROOT = Path(__file__).resolve().parents[2]
_OPTIONS = "/** @param {ExperienceOptions} options */\n"


@pytest.fixture(scope="module")
def tsc(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return npm.folder(tmp_path_factory) / "node_modules" / ".bin" / "tsc"


def _checked(tsc: Path, folder: str) -> list[str]:
    ended = subprocess.run(
        [tsc, "-p", "jsconfig.json"], cwd=folder, capture_output=True, text=True, check=False
    )
    return ended.stdout.splitlines()


@pytest.mark.slow
def test_templates_and_samples_have_no_mistake_of_type(cli: CommandLine, tsc: Path) -> None:
    found = {}
    for template in [*TEMPLATES, *sample_names()]:
        cli.json("new", template, "--template", template)
        for file in Path(template).glob("*.js"):
            text = file.read_text()
            if "@param" not in text:
                file.write_text(
                    re.sub(r"^module\.exports = .*function variation", _OPTIONS + r"\g<0>", text, flags=re.M)
                )
        found[template] = _checked(tsc, template)

    assert {template: lines for template, lines in found.items() if lines} == {}


MISTAKES = {
    "slack.schedul({ message: 'x' }, { delay: 1 })": "'schedul' does not exist",
    "options.lgo.info('x')": "'lgo' does not exist",
    "slack.schedule({ message: 5 }, { delay: 1 })": "is not assignable to",
    "slack.schedule(7, { delay: 1 })": "is not assignable to",
    "slack.schedule('x', { dealy: 1 })": "'dealy' does not exist",
    "slack.schedule('x', { delay: 1, window: { days: 'monday' } })": "'days' does not exist",
    "slack.schedule('x', { delay: 1, ifExists: 'replaces' })": "'\"replaces\"' is not assignable",
    "options.integration('slack-updat')": "'\"slack-updat\"' is not assignable",
    "options.integration('event-webhook').schedule({ uri: 'x' }, { delay: 1 })": "'uri' does not exist",
    "App('utils/sheduler', {})": "is not assignable",
    "options.meta.visitorID": "'visitorID' does not exist",
    "document.title": "'document'",
    "new Intl.Segmenter('de')": "'Segmenter' does not exist",
    "new Intl.DateTimeFormat('de').formatRange(1, 2)": "'formatRange' does not exist",
    "new Intl.DateTimeFormat('de', { fractionalSecondDigits: 3 })": "No overload matches this call",
    "new Intl.ListFormat('de', { type: 'und' })": "is not assignable to",
}


@pytest.mark.slow
def test_what_is_mistyped_is_found_at_its_line(cli: CommandLine, tsc: Path) -> None:
    cli.json("new", "mine", "--template", "blank")
    body = "\n".join(MISTAKES)
    head = "module.exports = function (options) { const slack = options.integration('slack-update')"
    write(Path("mine/variation.js"), f"{_OPTIONS}{head}\n{body}\n}}\n")

    found = [
        re.match(r"variation\.js\((\d+),\d+\): error TS\d+: (.*)", line) for line in _checked(tsc, "mine")
    ]
    told = {int(each[1]): each[2] for each in found if each}

    assert {number - 3: text for number, text in told.items()}.keys() == dict.fromkeys(
        range(len(MISTAKES))
    ).keys()
    for number, part in enumerate(MISTAKES.values()):
        assert part in told[number + 3]


def test_the_types_know_the_members_and_modules_that_are_there(cli: CommandLine, lab: Lab) -> None:
    text = cli("types").out
    (members,) = lab.says("options.log.info(Object.keys(options).join(' '))")
    block = text.partition("interface ExperienceOptions {")[2].partition("\n}")[0]
    shims = (ROOT / "runtime/experience_runtime/sandbox/prelude/56_shims.js").read_text()
    made = shims.partition("MAKERS = kit.record({")[2].partition("\n  })")[0]

    assert set(re.findall(r"^  (\w+)", block, re.MULTILINE)) == set(members.split())
    assert set(re.findall(r"declare module '([^']+)'", text)) == set(
        re.findall(r"^    '?([@\w/-]+)'?:", made, re.MULTILINE)
    )


def test_the_payloads_are_those_of_the_integrations_that_are_registered(cli: CommandLine) -> None:
    write(
        Path("own/sms.py"),
        "from typing import Literal\n"
        "from experience_runtime.integration import Integration\n"
        "from pydantic import BaseModel\n"
        "class Sms(BaseModel):\n    to: str\n    kind: Literal['a', 'b'] = 'a'\n    parts: list[int] = []\n"
        "class SendSms(Integration):\n    name = 'send-sms'\n    payload = Sms\n"
        "    def call(self, payload, context):\n        return None\n",
    )

    assert (
        '  "send-sms": { "to": string, "kind"?: "a" | "b", "parts"?: Array<number> }'
        in cli("types", "--integrations", "own").out.splitlines()
    )


def test_the_schema_of_a_story_takes_every_sample_and_no_mistyped_field(cli: CommandLine) -> None:
    schema = json.loads(cli("types", "story").out)
    validator = Draft202012Validator(schema)

    for sample in sample_names():
        story = json.loads((ROOT / "sample_experiences" / sample / "story.json").read_text())
        assert list(validator.iter_errors(story)) == []
        assert list(validator.iter_errors(story | {"stepz": []})) != []
    assert set(schema["properties"]) == {field.alias or name for name, field in Story.model_fields.items()}


def test_the_schema_of_package_json_knows_what_check_knows(cli: CommandLine) -> None:
    schema = json.loads(cli("types", "package").out)

    assert set(schema["properties"]["meta"]["properties"]) == set(PACKAGE_META)


def test_the_schema_of_the_settings_takes_the_example_of_the_reference(cli: CommandLine) -> None:
    schema = json.loads(cli("types", "settings").out)
    page = (ROOT / "docs" / "reference" / "settings.md").read_text()
    blocks = re.findall(r"```toml\n(.*?)```", page, re.DOTALL)

    assert set(schema["properties"]) == set(TOP_SETTINGS)
    assert blocks
    for block in blocks:
        assert list(Draft202012Validator(schema).iter_errors(tomllib.loads(block))) == []
    assert list(Draft202012Validator(schema).iter_errors({"databse": "x"})) != []
    assert list(Draft202012Validator(schema).iter_errors({"serve": {"drfts": "x"}})) != []


def test_all_are_written_into_a_folder_and_named_by_what_new_writes(cli: CommandLine) -> None:
    cli.json("types", "--to", "here/types")
    cli.json("new", "mine")

    assert {file.name for file in Path("here/types").iterdir()} == set(FILES.values())
    story = json.loads(Path("mine/story.json").read_text())
    assert Path("mine", story["$schema"]).is_file()
    assert ".experience/*.d.ts" in json.loads(Path("mine/jsconfig.json").read_text())["include"]
    assert cli.json("types", "story")["files"] == {"story.schema.json": cli("types", "story").out}
