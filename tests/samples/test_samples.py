"""The samples: each is whole, is checked and simulated, and its story can fail."""

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from experience_runtime.domain.executions import Status
from experience_runtime.plugins.registry import Registry
from experience_runtime.running.opening import check
from experience_runtime.sandbox.pool import Pool
from experience_runtime.scripts.loading import prepare
from experience_runtime.settings.load import Settings
from experience_runtime.simulation.expected import Expectation
from experience_runtime.simulation.simulate import simulate
from experience_runtime.simulation.simulated import Simulated, simulated_document
from experience_runtime.simulation.story import Story, load_story

ROOT = Path(__file__).resolve().parents[2]
SAMPLES = sorted(path for path in (ROOT / "sample_experiences").iterdir() if path.is_dir())
NAMES = {
    "basket-reminder",
    "business-hours-followup",
    "cancel-integrations",
    "event-scheduler",
    "handled-refusal",
    "high-value-basket",
    "schedule-integrations",
}
# Any instant will do: every story has its own.
NOW = datetime(2026, 1, 1, tzinfo=UTC)

each_sample = pytest.mark.parametrize("sample", SAMPLES, ids=lambda path: path.name)


@pytest.fixture(scope="module")
def pool() -> Iterator[Pool]:
    pool = Pool(spares=1)
    yield pool
    pool.close()


def _play(sample: Path, pool: Pool, story: Story | None = None) -> Simulated:
    settings = Settings()
    return simulate(
        prepare(sample),
        load_story(sample / "story.json") if story is None else story,
        sandbox=pool,
        integrations=Registry(settings),
        conversions=settings.conversions,
        now=NOW,
        client=settings.client,
        redact=settings.redact,
    )


def test_the_samples_are_all_there() -> None:
    assert {sample.name for sample in SAMPLES} >= NAMES


@each_sample
def test_a_sample_has_its_files_and_says_how_to_play_it(sample: Path) -> None:
    names = {path.name for path in sample.iterdir()}

    assert {"variation.js", "story.json", "README.md"} <= names
    assert f"$ experience simulate sample_experiences/{sample.name}\n" in (sample / "README.md").read_text()


@each_sample
def test_a_sample_is_checked_and_calls_registered_integrations_only(sample: Path, pool: Pool) -> None:
    code = "".join(path.read_text() for path in sample.glob("*.js"))

    called = set(re.findall(r"\.integration\('([^']+)'", code))

    assert check(prepare(sample), pool) is None
    assert called or "App('utils/scheduler'" in code
    assert called <= set(Registry(Settings()).names())


@each_sample
def test_a_sample_does_what_its_story_expects(sample: Path, pool: Pool) -> None:
    story = load_story(sample / "story.json")

    simulated = _play(sample, pool)

    assert story.at is not None
    assert story.expect
    assert simulated.differences == []
    assert simulated.met_expectations == len(story.expect) == len(simulated.executions)
    assert [report.error for report in simulated.reports if report.error] == []
    assert json.loads(json.dumps(simulated_document(simulated)))["outcome"] == "ran"


@each_sample
def test_a_sample_plays_the_same_every_time(sample: Path, pool: Pool) -> None:
    first, second = (simulated_document(_play(sample, pool)) for _ in range(2))

    assert first == second


@each_sample
def test_a_story_that_expects_something_else_is_not_met(sample: Path, pool: Pool) -> None:
    story = load_story(sample / "story.json")

    mutated = story.model_copy(update={"expect": tuple(_mutated(each) for each in story.expect)})

    assert len(_play(sample, pool, mutated).differences) == len(story.expect)


def _mutated(expectation: Expectation) -> Expectation:
    """The same expectation, wrong in the one field that matters most."""
    if expectation.due_at is not None:
        assert expectation.due_at.endswith(".000Z")
        return expectation.model_copy(update={"due_at": expectation.due_at.replace(".000Z", ".001Z")})
    if expectation.reason is not None:
        return expectation.model_copy(update={"reason": "another"})
    return expectation.model_copy(update={"status": Status.PENDING})


def test_the_basket_reminder_reaches_one_visitor_in_the_morning_and_not_the_one_who_bought(
    pool: Pool,
) -> None:
    simulated = _play(ROOT / "sample_experiences" / "basket-reminder", pool)

    ended = {
        (execution.visitor, execution.status.value, execution.reason) for execution in simulated.executions
    }
    delivered = [
        document["due_local"] for document in simulated.documents if document["status"] == "succeeded"
    ]

    assert ("ben", "cancelled", "conversion") in ended
    # Monday 9 March 2026, after the clocks went forward
    assert delivered == ["2026-03-09T09:00:00.000-04:00", "2026-03-09T09:00:00.000-05:00"]
