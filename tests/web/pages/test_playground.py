"""The playground: run, move time, act, and see what happens and why; shared by its address."""

import json
import re
from pathlib import Path

import pytest
from experience_runtime.simulation.story import Story, load_story
from experience_runtime.web.pages.playground.form import Play
from experience_runtime.web.pages.playground.view import MOST_SHOWN
from playwright.sync_api import Page, expect

from .conftest import Shop

REMINDER = (
    "module.exports = o => o.integration('slack-update').schedule({ message: 'hi' }, { delay: '2 hours' })"
)
WITH_AND_WITHOUT_SCRIPT = pytest.mark.parametrize("script", [True, False], ids=["script", "no-script"])


def _begin(page: Page) -> None:
    """A reminder scheduled on a Friday afternoon in Paris, whose window opens on Monday."""
    page.goto("/playground")
    page.get_by_label("Experience", exact=True).select_option("basket-reminder")
    page.get_by_label("Moment it starts").fill("2026-03-06T15:30:00Z")
    page.get_by_role("button", name="Run it").click()


def _state(page: Page) -> str:
    return page.get_by_role("region", name="Executions at this moment").locator(".state").inner_text()


@WITH_AND_WITHOUT_SCRIPT
def test_time_moves_to_what_happens_next(shop: Shop, script: bool) -> None:
    page = shop.page(script=script)
    _begin(page)
    expect(page.get_by_role("region", name="Executions at this moment")).to_contain_text("later: succeeded")
    assert _state(page) == "pending"

    page.get_by_role("button", name="To what happens next").click()

    expect(page.get_by_text("+2 d 16 h · Mon 09:00 Paris")).to_be_visible()
    assert _state(page) == "succeeded"
    happened = page.get_by_role("region", name="What happened")
    expect(happened).to_contain_text("moved by the window monday-friday 09:00-17:00")
    expect(happened).to_contain_text("delivered slack-update")
    expect(page.get_by_role("img", name="1 execution over 2 d 16 h")).to_be_visible()


@WITH_AND_WITHOUT_SCRIPT
def test_a_conversion_at_this_moment_cancels_and_can_be_taken_back(shop: Shop, script: bool) -> None:
    page = shop.page(script=script)
    _begin(page)
    page.get_by_label("Move time forward").fill("1 day")
    page.get_by_role("button", name="Forward", exact=True).click()

    page.get_by_role("button", name="Convert").click()

    expect(page.get_by_role("region", name="Executions at this moment")).to_contain_text("conversion")
    assert _state(page) == "cancelled"
    page.get_by_role("button", name="Remove conversion ecBasketTransactionSummary").click()
    expect(page.get_by_role("region", name="Executions at this moment")).to_contain_text("later: succeeded")
    assert _state(page) == "pending"


def test_an_event_is_heard_by_the_open_run(shop: Shop) -> None:
    page = shop.page()
    _begin(page)
    page.get_by_label("An event of the page").fill("ecBasketItem")
    page.get_by_label("Its data (JSON)").fill('{"name": "a lamp"}')

    page.get_by_role("button", name="Send").click()

    expect(page.get_by_role("region", name="What happened")).to_contain_text("one more item: a lamp")


def test_cancel_by_key(shop: Shop) -> None:
    page = shop.page()
    _begin(page)
    page.get_by_text("Cancel, or run again").click()
    page.get_by_label("Integration", exact=True).select_option("slack-update")
    page.get_by_label("Cancel by key").fill('{"reminder": "basket"}')

    page.get_by_role("button", name="Cancel", exact=True).click()

    expect(page.get_by_text("cancel slack-update").first).to_be_visible()
    assert _state(page) == "cancelled"


def test_answers_are_scripted_and_the_retry_is_seen(shop: Shop) -> None:
    page = shop.page()
    page.goto("/playground")
    page.get_by_label("Moment it starts").fill("2026-03-06T15:30:00Z")
    page.get_by_text("Data, what the page tells, and what integrations answer").click()
    page.get_by_label("Answers (JSON)").fill('{"slack-update": [{"status": 503, "retry_after": 60}]}')
    page.get_by_role("button", name="Run it").click()

    page.get_by_role("button", name="To the end").click()

    happened = page.get_by_role("region", name="What happened")
    expect(happened).to_contain_text("tries again slack-update")
    expect(happened).to_contain_text("the receiver answered 503")


def test_the_address_alone_shows_the_same_to_another_browser(shop: Shop) -> None:
    page = shop.page()
    _begin(page)
    page.get_by_label("Move time forward").fill("1 day")
    page.get_by_role("button", name="Forward", exact=True).click()
    page.get_by_role("button", name="Convert").click()

    other = shop.page(script=False)
    other.goto(page.url)

    assert _state(other) == "cancelled"
    assert other.get_by_label("Moment it starts").input_value() == "2026-03-06T15:30:00Z"


def test_the_story_downloaded_is_met_when_it_is_simulated(shop: Shop, tmp_path: Path) -> None:
    page = shop.page()
    _begin(page)
    page.get_by_label("Move time forward").fill("1 day")
    page.get_by_role("button", name="Forward", exact=True).click()
    page.get_by_role("button", name="Convert").click()

    with page.expect_download() as download:
        page.get_by_role("button", name="Download story.json").click()
    download.value.save_as(tmp_path / "story.json")

    story = load_story(tmp_path / "story.json")
    assert isinstance(story, Story)
    document = json.loads((tmp_path / "story.json").read_text(encoding="utf-8"))
    assert document["steps"][1] | {"visitor": ""} == {
        "after": 86_400_000,
        "do": "convert",
        "visitor": "",
        "event": "ecBasketTransactionSummary",
    }
    assert [(each["status"], each["reason"]) for each in document["expect"]] == [("cancelled", "conversion")]


@WITH_AND_WITHOUT_SCRIPT
def test_a_pasted_mistake_is_shown_with_its_line_and_a_caret(empty_shop: Shop, script: bool) -> None:
    page = empty_shop.page(script=script)
    page.goto("/playground")
    page.get_by_label("Experience", exact=True).select_option("")
    page.get_by_label("variation.js").fill(
        "module.exports = function variation (options) {\n  const options = {}\n}"
    )

    page.get_by_role("button", name="Run it").click()

    alert = page.get_by_role("alert")
    expect(alert).to_contain_text("variation.js:2:3")
    expect(alert.locator("pre")).to_have_text(re.compile(r"2 \|   const options = \{\}\n {6}\^"))
    page.get_by_label("Repair a parameter").check()
    page.get_by_role("button", name="Run it").click()
    expect(page.get_by_role("alert")).to_have_count(0)
    expect(page.get_by_role("region", name="What happened")).to_contain_text("repaired for this run")


TWO = {
    "at": "2026-03-06T15:30:00Z",
    "visitors": [{"id": "ada", "timezone": "Europe/Paris"}, {"id": "bob", "timezone": "Asia/Tokyo"}],
    "steps": [{"do": "run", "visitor": "ada"}, {"after": "1 hour", "do": "run", "visitor": "bob"}],
    "expect": [
        {"visitor": "ada", "status": "succeeded", "due_at": "2026-03-09T08:00:00Z"},
        {"visitor": "bob", "status": "succeeded"},
    ],
}


def _told(page: Page, story: object) -> None:
    page.goto("/playground")
    page.get_by_label("Experience", exact=True).select_option("basket-reminder")
    page.get_by_text("Play a story.json instead").click()
    page.get_by_label("story.json", exact=True).fill(json.dumps(story))
    page.get_by_role("button", name="Run it").click()


@WITH_AND_WITHOUT_SCRIPT
def test_a_story_of_several_visitors_is_played_and_judged_and_more_may_happen_in_it(
    shop: Shop, script: bool
) -> None:
    page = shop.page(script=script)
    _told(page, TWO)
    expected = page.get_by_role("region", name="What the story expects")
    expect(expected).to_contain_text("passed · 2 of 2 met")
    expect(page.get_by_role("region", name="Executions at this moment")).to_contain_text("for bob")
    expect(page.get_by_role("img", name="2 executions over")).to_contain_text("reminder")
    happened = page.get_by_role("region", name="What happened").locator("li")
    expect(happened.filter(has_text="info planned for")).to_contain_text(["for ada", "for bob"])
    expect(happened.filter(has_text="delivered slack-update")).to_contain_text(["for bob", "for ada"])
    calls = page.get_by_role("region", name="Calls and events").locator("tbody tr")
    expect(calls).to_contain_text(["for ada", "for bob"])

    page.get_by_label("Who does it").fill("bob")
    page.get_by_label("Move time forward").fill("2 hours")
    page.get_by_role("button", name="Forward", exact=True).click()
    page.get_by_label("Who does it").fill("bob")
    page.get_by_role("button", name="Convert").click()

    expect(page.get_by_text("conversion ecBasketTransactionSummary for bob").first).to_be_visible()
    expect(expected).to_contain_text("something else happened · 1 of 2 met")
    expect(expected).to_contain_text("cancelled")
    with page.expect_download() as download:
        page.get_by_role("button", name="Download story.json").click()
    story = json.loads(Path(download.value.path()).read_text(encoding="utf-8"))
    assert story["expect"] == TWO["expect"]
    assert story["steps"][-1] == {
        "after": 7_200_000,
        "do": "convert",
        "visitor": "bob",
        "event": "ecBasketTransactionSummary",
    }


def test_what_was_typed_becomes_a_story_and_a_mistake_in_it_is_told_with_its_place(shop: Shop) -> None:
    page = shop.page()
    _begin(page)
    page.get_by_role("button", name="Edit as a story").click()
    area = page.get_by_label("story.json", exact=True)
    told = json.loads(area.input_value())
    assert [step["do"] for step in told["steps"]] == ["run"]
    expect(page.locator(".gutter").last).to_contain_text(str(area.input_value().count("\n") + 1))

    area.fill(area.input_value().replace('"run"', '"rum"'))
    page.get_by_role("button", name="Run it").click()

    expect(page.get_by_role("alert")).to_contain_text("steps")
    expect(page.get_by_role("alert")).to_contain_text("rum")


@WITH_AND_WITHOUT_SCRIPT
def test_a_step_that_fails_leaves_the_last_picture(empty_shop: Shop, script: bool) -> None:
    page = empty_shop.page(script=script)
    page.goto("/playground")
    page.get_by_label("Experience", exact=True).select_option("")
    page.get_by_label("variation.js").fill(REMINDER)
    page.get_by_role("button", name="Run it").click()
    picture = page.get_by_role("img", name="1 execution over")
    expect(picture.locator("text", has_text="now")).to_have_text(["start, now"])
    expect(picture.locator("text", has_text="start")).to_have_count(1)

    page.get_by_label("An event of the page").fill("ecView")
    page.get_by_label("Its data (JSON)").fill("{")
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_role("alert")).to_contain_text("the event's data is not JSON")
    expect(picture).to_be_visible()

    page.get_by_label("Its data (JSON)").fill("")
    page.get_by_label("variation.js").fill(REMINDER.replace("o.integration", "nobody.integration"))
    page.get_by_role("button", name="Run it").click()

    expect(page.get_by_role("alert")).to_contain_text("nobody is not defined")
    expect(page.get_by_role("heading", name="The last play that worked")).to_be_visible()
    expect(picture).to_be_visible()


def test_the_event_that_triggers_wait_for_is_named(empty_shop: Shop) -> None:
    page = empty_shop.page()
    page.goto("/playground")
    page.get_by_label("Experience", exact=True).select_option("")
    page.get_by_label("variation.js").fill("module.exports = o => {}")
    page.get_by_text("triggers.js").first.click()
    page.get_by_role("textbox", name="triggers.js").fill(
        "module.exports = (options, cb) => { options.uv.once('ecBasketSummary', () => cb(true)) }"
    )

    page.get_by_role("button", name="Run it").click()

    expect(page.get_by_role("status").filter(has_text="Pending")).to_contain_text(
        "They listen for: ecBasketSummary."
    )


def test_what_an_author_throws_stands_at_its_line(empty_shop: Shop) -> None:
    page = empty_shop.page()
    page.goto("/playground")
    page.get_by_label("Experience", exact=True).select_option("")
    page.get_by_label("variation.js").fill(
        "module.exports = function (options) {\n  options.log.info('before')\n  nothing.at.all()\n}"
    )

    page.get_by_role("button", name="Run it").click()

    expect(page.get_by_role("alert")).to_contain_text("variation.js:3:3")
    expect(page.get_by_role("alert").locator("mark")).to_have_text("n")
    expect(page.get_by_role("region", name="What happened")).to_contain_text("before")


@pytest.mark.parametrize(
    ("field", "text", "words"),
    [
        ("Their zone", "Paris", 'did you mean "Europe/Paris"?'),
        ("Moment it starts", "soon", "soon"),
        ("Moment it starts", "9999-12-31T00:00Z", "at the edge of the calendar"),
        ("options.data (JSON)", "{", "the data is not JSON"),
        ("Answers (JSON)", '{"webhook": 5}', "answers"),
        ("Move time forward", "40 days", "watched for 30 days"),
    ],
)
def test_what_cannot_be_read_is_refused_and_stays_typed(
    empty_shop: Shop, field: str, text: str, words: str
) -> None:
    page = empty_shop.page()
    page.goto("/playground")
    page.get_by_text("Data, what the page tells, and what integrations answer").click()

    page.get_by_label(field).fill(text)
    name = "Forward" if field == "Move time forward" else "Run it"
    page.get_by_role("button", name=name, exact=True).click()

    expect(page.get_by_role("alert")).to_contain_text(words)
    expect(page.get_by_label(field)).to_have_value(text)


def test_a_play_too_long_for_an_address_is_played_all_the_same(empty_shop: Shop) -> None:
    page = empty_shop.page()
    page.goto("/playground")
    page.get_by_label("Experience", exact=True).select_option("")
    noise = "".join(f"// {index * 7919 % 104729:x} {index * 104729 % 7919:x}\n" for index in range(1_500))
    source = f"{noise}module.exports = o => o.log.info('played')"
    page.get_by_label("variation.js").evaluate("(each, text) => { each.value = text }", source)

    page.get_by_role("button", name="Run it").click()

    expect(page.get_by_text("too long for an address")).to_be_visible()
    expect(page.get_by_role("region", name="What happened")).to_contain_text("played")


def test_of_very_much_a_page_shows_the_first_and_says_so(empty_shop: Shop) -> None:
    play = Play(source="module.exports = o => { for (let i = 0; i < 900; i++) o.log.info(i) }")
    page = empty_shop.page()

    page.goto(f"/playground?s={play.address()}")

    expect(page.get_by_text("More happened than a page can show")).to_be_visible()
    expect(page.get_by_role("region", name="What happened").locator(".said")).to_have_count(MOST_SHOWN)


def test_an_address_that_holds_no_play_is_refused(empty_shop: Shop) -> None:
    page = empty_shop.page()

    page.goto("/playground?s=eNpLBAAAAAAAA")

    expect(page.get_by_role("alert")).to_contain_text("holds no play that can be read")


def test_nothing_is_stored_and_nothing_is_sent(shop: Shop) -> None:
    page, before = shop.page(), len(shop.executions())
    _begin(page)
    page.get_by_role("button", name="To the end").click()
    expect(page.get_by_text("nothing else comes")).to_be_visible()

    assert len(shop.executions()) == before
    assert shop.runtime.store.visitor("visitor-1") is None
