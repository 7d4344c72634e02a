"""Released files: every server of a database runs them, whatever becomes of the folder they came from."""

from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from experience_runtime.clocks import SystemClock
from experience_runtime.domain.errors import InvalidParameter, NotReleasable
from experience_runtime.engine.releases import Live
from experience_runtime.releasing.releasing import Wanted, made_by, release
from experience_runtime.runtime import Runtime
from experience_runtime.scripts.loading import files_of
from experience_runtime.settings.load import load_settings
from experience_runtime.web.server import make_web

from tests.support.serving import serving

from .conftest import REMINDER, write

TEXT = """module.exports = function variation (options) {{
  options.log.info('{0}')
  const body = {{ text: require('./prices.json').of }}
  return options.integration('webhook').schedule({{ body }}, {{ delay: '1 day' }})
}}
"""


def put(runtime: Runtime, folder: Path, text: str, **wanted: Any) -> int:
    write(folder / "work/variation.js", TEXT.format(text))
    write(folder / "work/prices.json", f'{{"of": "{text}"}}')
    files = files_of(folder / "work")
    made, _ = release(runtime, Wanted(experience="reminder", files=files, actor="ada", **wanted))
    return made.number


def ran(client: httpx.Client, visitor: str = "v1") -> Any:
    answer = client.post("/v1/experiences/reminder/run", json={"visitor": visitor})
    return answer.json()


def line(client: httpx.Client, visitor: str = "v1") -> str:
    return str(ran(client, visitor)["log"][0]["message"])


def test_a_release_runs_from_the_database_and_its_executions_name_it(
    client: httpx.Client, runtime: Runtime, folder: Path
) -> None:
    assert line(client) == "told to the author"  # the path of [experiences]
    assert put(runtime, folder, "first") == 1
    write(folder / "work/variation.js", "half a fi")
    write(folder / "work/prices.json", "{")

    made = ran(client)

    assert (made["log"][0]["message"], made["executions"][0]["payload"]) == (
        "first",
        {"body": {"text": "first"}},
    )
    (stored,) = client.get("/v1/executions?limit=1").json()["executions"]
    (run,) = client.get("/v1/runs?limit=1").json()["runs"]
    assert (stored["release"], run["release"]) == (1, 1)
    listed = {each["name"]: each for each in client.get("/v1/experiences").json()["experiences"]}
    assert listed["reminder"] == {"name": "reminder", "released": True, "release": 1, "source": "release"}
    assert listed["draft"]["source"] == "draft"
    page = client.get("/experiences/reminder").text
    assert "release 1 runs" in page


def test_what_does_not_pass_reaches_nobody(client: httpx.Client, runtime: Runtime, folder: Path) -> None:
    put(runtime, folder, "first")
    story = {"story.json": '{"steps": [{"do": "run"}], "expect": [{"integration": "slack-update"}]}'}
    for files, why in (
        ({"variation.js": "module.exports = function ("}, "variation.js:1"),
        ({"variation.js": REMINDER, "variation-2.js": "let a; let a"}, "variation-2.js:1"),
        ({"variation.js": REMINDER, **story}, r"story\.json: expect\[0\]"),
        ({"variation.js": REMINDER, "story.json": "{"}, "story.json is not JSON"),
    ):
        with pytest.raises(NotReleasable, match=why):
            release(runtime, Wanted(experience="reminder", files=files, actor="ada"))
    with pytest.raises(InvalidParameter):
        release(runtime, Wanted(experience="../x", files={"variation.js": REMINDER}, actor="ada"))

    assert line(client) == "first"
    assert len(runtime.store.releases.releases("reminder")) == 1


def test_another_server_of_the_database_sees_a_rollback_and_a_deactivation(
    client: httpx.Client, runtime: Runtime, folder: Path
) -> None:
    put(runtime, folder, "first")
    put(runtime, folder, "second")
    settings = load_settings(config=folder / "experience.toml", environ={})
    with (
        Runtime(settings) as other,
        serving(make_web(other, is_open=True)) as address,
        httpx.Client(base_url=address, trust_env=False, timeout=60) as second,
    ):
        assert line(second) == line(client) == "second"
        runtime.store.releases.roll_back(made=made_by(runtime, "reminder", "ada"), expected=None)
        for web in (client, second):
            wait_for(web, "first")
        runtime.store.releases.deactivate(made=made_by(runtime, "reminder", "ada"), expected=None)
        for web in (client, second):
            wait_for(web, "module_not_found")


def wait_for(web: httpx.Client, wanted: str) -> None:
    """Ask until it is seen; the test's own time limit ends what never is."""
    while True:
        answer = ran(web)
        if wanted == (answer["log"][0]["message"] if "log" in answer else answer["code"]):
            return


def test_what_is_live_is_not_asked_for_with_every_run(runtime: Runtime, folder: Path) -> None:
    put(runtime, folder, "first")
    asked: list[str] = []
    live = Live(_Counting(runtime.store.releases, asked), FrozenClock(runtime.clock.now()))

    seen = [live.all()["reminder"].active for _ in range(1_000)]

    assert (set(seen), asked) == ({1}, ["version", "live"])


class FrozenClock(SystemClock):
    def __init__(self, at: datetime) -> None:
        self._at = at

    def now(self) -> datetime:
        return self._at


class _Counting:
    def __init__(self, releases: Any, asked: list[str]) -> None:
        self._releases = releases
        self._asked = asked

    def __getattr__(self, name: str) -> Any:
        self._asked.append(name)
        return getattr(self._releases, name)


def test_a_share_of_the_visitors_gets_the_newer_release_each_always_the_same(
    client: httpx.Client, runtime: Runtime, folder: Path
) -> None:
    put(runtime, folder, "first")
    put(runtime, folder, "second", share="50%")

    seen = {f"v{number}": line(client, f"v{number}") for number in range(8)}

    assert set(seen.values()) == {"first", "second"}
    assert seen == {visitor: line(client, visitor) for visitor in seen}
