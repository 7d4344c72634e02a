"""The documents: every block does what it says, every number is the code's, every path is there."""

import re
from pathlib import Path

import click
import pytest
from experience_runtime.cli import main

from .documents import BadDocument, blocks, commands, documents, play
from .headings import headings
from .refresh_readme import refreshed
from .stage import DEV_VERBS, ROOT
from .wildcard import agrees

README = (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("document", documents(), ids=lambda path: path.relative_to(ROOT).as_posix())
def test_every_block_of_a_document_holds(document: Path) -> None:
    findings = play(document.read_text(encoding="utf-8"), document.relative_to(ROOT).as_posix())

    assert findings.problems == []


def test_the_readme_shows_the_two_commands_and_one_example() -> None:
    found = blocks(README)
    said = [command.text for block in found if block.kind == "sh" for command in commands(block)]

    assert {"python3 dev.py demo", "python3 dev.py test"} <= set(said)
    assert [block.kind for block in found].count("js") == 1


def test_the_readme_is_a_screen_for_each_of_its_readers() -> None:
    assert len(README.splitlines()) <= 100


def test_the_documents_have_blocks_of_each_kind() -> None:
    found = {block.kind for path in documents() for block in blocks(path.read_text(encoding="utf-8"))}

    assert found >= {"sh", "js", "js refused", "js wrong", "js mistake", "python", "toml", "json", "html"}


def test_the_demo_in_the_readme_tells_of_a_reminder_in_the_morning_and_of_one_cancelled() -> None:
    demo = next(
        command
        for block in blocks(README)
        if block.kind == "sh"
        for command in commands(block)
        if command.text == "python3 dev.py demo"
    )

    assert any("Mon 09:00 New York" in line and "delivered" in line for line in demo.output)
    assert any("ben" in line and "cancelled" in line and "conversion" in line for line in demo.output)


def test_every_command_the_readme_names_exists() -> None:
    named = re.findall(r"(?:^\$ |`)experience ([a-z]+)(?: ([a-z]+))?", README, re.MULTILINE)
    context = click.Context(main)

    assert named
    for verb, second in named:
        command = main.get_command(context, verb)
        assert command is not None, verb
        if isinstance(command, click.Group) and second:
            assert command.get_command(context, second) is not None, f"{verb} {second}"
    contributing = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    assert set(re.findall(r"python3 dev\.py (\w+)", README + contributing)) <= DEV_VERBS


def dead_links(page: Path) -> list[str]:
    """The links of a page outside the site that lead nowhere; the site looks after its own."""
    links = re.findall(r"\]\((?!https?:)([^)#\s]*)(?:#([^)\s]*))?\)", page.read_text(encoding="utf-8"))
    dead = []
    for path, anchor in links:
        target = page.parent / path if path else page
        if not target.exists() or (anchor and anchor not in {each.slug for each in headings(target)}):
            dead.append(f"{path}#{anchor}")
    return dead


@pytest.mark.parametrize(
    "page",
    [*ROOT.glob("*.md"), *(ROOT / "sample_experiences").glob("*/README.md")],
    ids=lambda page: page.relative_to(ROOT).as_posix(),
)
def test_every_link_of_a_page_outside_the_site_leads_somewhere(page: Path) -> None:
    assert dead_links(page) == []


def test_a_dead_link_is_found(tmp_path: Path) -> None:
    page = tmp_path / "a.md"
    page.write_text("# Here\n[a](#here) [b](#there) [c](b.md) [d](a.md#here) [e](https://x.example/#y)\n")

    assert dead_links(page) == ["#there", "b.md#"]


@pytest.mark.parametrize("page", ["docs/architecture.md", "CONTRIBUTING.md"])
def test_every_file_that_the_pages_for_contributors_name_is_in_the_tree(page: str) -> None:
    named = re.findall(r"`([\w./-]+\.(?:py|js|sql|md|html))`", (ROOT / page).read_text(encoding="utf-8"))
    package = ROOT / "runtime" / "experience_runtime"

    assert named
    assert [path for path in named if not (ROOT / path).exists() and not (package / path).exists()] == []


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("```ruby\nputs 1\n```\n", "'ruby' are not checked"),
        ("```\nbare\n```\n", "'' are not checked"),
        ("```sh\n$ echo one\ntwo\n```\n", "said:\none"),
        ("```sh\n$ exit 3\n```\n", "ended with 3"),
        ("```sh\n$ python3 dev.py tset\n```\n", "no command 'tset'"),
        ("```js\nmodule.exports = 1\n```\n", "names no file"),
        ("`a.js`:\n\n```js\nfunction (\n```\n", "syntax_error"),
        ("`a.js`:\n\n```js\nmodule.exports = () => { throw new Error('no') }\n```\n", "no"),
        ("`a.js`:\n\n```js refused\nmodule.exports = () => {}\n```\n", "ended with 0"),
        ("`a.js`:\n\n```js perhaps\n1\n```\n", "'js perhaps' is not a kind"),
        ("`a.toml`:\n\n```toml\ncolour = 1\n```\n", '"colour" is not a setting'),
        ("`a.json`:\n\n```json\n{]\n```\n", "Expecting"),
        ('`story.json`:\n\n```json\n{"foo": 1}\n```\n', "story.json"),
        ("`d/a.py`:\n\n```python\nvalue = 1\n```\n", "holds no integration"),
    ],
)
def test_a_block_that_does_not_hold_is_a_problem(text: str, problem: str) -> None:
    found = play(text, "x.md").problems

    assert found
    assert problem in found[0]


def test_an_integration_that_no_command_calls_is_a_problem() -> None:
    text = (
        "`mine/a.py`:\n\n```python\n"
        "from experience_runtime.integration import Integration\n"
        "class A(Integration):\n"
        "    name = 'a'\n"
        "    def call(self, payload, context):\n"
        "        return None\n```\n"
    )

    assert play(text, "x.md").problems == ["x.md:4: no command of the document called 'a'"]


@pytest.mark.parametrize("text", ["```sh\n$ true\n", "  ```sh\n$ true\n```\n", "~~~sh\n~~~\n"])
def test_a_fence_that_could_be_overlooked_is_refused(text: str) -> None:
    with pytest.raises(BadDocument):
        blocks(text)


@pytest.mark.parametrize(
    ("expected", "actual", "agree"),
    [
        (("a",), ["a"], True),
        (("a",), ["a", "b"], False),
        (("a", "…"), ["a", "b", "c"], True),
        (("…", "c"), ["a", "b", "c"], True),
        (("id ex_…",), ["id ex_123"], True),
        (("id ex_…",), ["id ex_123", "more"], False),
        (("a.b",), ["axb"], False),
    ],
)
def test_the_wildcard_stands_for_part_of_a_line_or_for_lines(
    expected: tuple[str, ...], actual: list[str], *, agree: bool
) -> None:
    assert agrees(expected, actual) is agree


def test_refreshing_replaces_what_does_not_agree_and_nothing_else() -> None:
    text = "# T\n\n```sh\n$ echo one\nold\nolder\n$ echo two\nt…\n$ echo ex_0cn1tkzv00c6k\nx\n```\nend\n"

    written = refreshed(text, play(text, "x.md").outputs)

    assert (
        written == "# T\n\n```sh\n$ echo one\none\n$ echo two\nt…\n$ echo ex_0cn1tkzv00c6k\nex_…\n```\nend\n"
    )
