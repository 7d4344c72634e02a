"""Settings in the database: typed on pages, by programs and in a shell; sealed, and used by every process."""

import logging
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest
from experience_runtime.cli import main
from experience_runtime.domain.errors import IntegrationBroken
from experience_runtime.engine.worker import Worker
from experience_runtime.runtime import Runtime
from experience_runtime.runtime.working import make_worker
from experience_runtime.settings.load import load_settings
from experience_runtime.settings.stored import SETTINGS_KEY, new_key
from experience_runtime.web.server import make_web
from pytest_httpserver import HTTPServer

from tests.support.postgres import shared
from tests.support.serving import serving

SECRET = "s3cr3t-of-the-shop/ümlaut"
CONFIG = """
integrations_dir = "own"

[serve]
settings = "database"

[integrations.webhook]
url = "https://example.com/"

[integrations.teams]
site = true

[outbound]
allow_private = ["127.0.0.1/32"]
"""
OWN = """
from typing import Literal
from pydantic import BaseModel, Field, SecretStr, field_validator
from experience_runtime.integration import Integration

class Settings(BaseModel):
    url: str = Field(description="Where it listens")
    password: SecretStr
    tries: int = Field(3, ge=1, le=9)
    is_fast: bool = False
    mode: Literal["soft", "hard"] = "soft"
    headers: dict[str, str] = {}

    @field_validator("password")
    def _not_old(cls, value):
        if value.get_secret_value().startswith("old"):
            raise ValueError(f"{value.get_secret_value()} was used before")
        return value

class Own(Integration):
    name = "own"
    settings = Settings

    def call(self, payload, context):
        token = context.cache.get("token") or context.settings.password.get_secret_value()
        context.cache.set("token", token, seconds=600)
        context.http.post(context.settings.url, json={"token": token})
"""


class Two:
    """Two processes' runtimes on one database, each with its API and its pages."""

    def __init__(self, folder: Path, database: str, stack: ExitStack) -> None:
        self.folder, self.key = folder, new_key()
        self.environ = {SETTINGS_KEY: self.key, "EXPERIENCE_DATABASE": database}
        self.runtimes = [stack.enter_context(self.runtime()).for_serving() for _ in range(2)]
        self.clients = [
            stack.enter_context(
                httpx.Client(
                    base_url=stack.enter_context(serving(make_web(each, is_open=True))),
                    trust_env=False,
                    timeout=120,
                )
            )
            for each in self.runtimes
        ]

    def runtime(self, **environ: str) -> Runtime:
        return Runtime(load_settings(config=self.folder / "experience.toml", environ=self.environ | environ))

    def change(self, settings: object, **body: Any) -> httpx.Response:
        where = f"/v1/integrations/{body.pop('name', 'own')}/settings"
        return self.clients[0].patch(where, json={"settings": settings, **body})

    def forget(self) -> None:
        """Let half a second pass."""
        for each in self.runtimes:
            each.kept_settings.forget()


@pytest.fixture
def two(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Two]:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "experience.toml").write_text(CONFIG)
    (tmp_path / "own").mkdir()
    (tmp_path / "own/own.py").write_text(OWN)
    is_shared = getattr(request, "param", "sqlite") == "postgresql"
    database = shared().database() if is_shared else "sqlite:///experience.db"
    with ExitStack() as stack:
        yield Two(tmp_path, database, stack)


@pytest.mark.parametrize("two", ["sqlite", "postgresql"], indirect=True)
def test_what_is_typed_is_used_by_every_process_and_shown_nowhere(
    two: Two, httpserver: HTTPServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    httpserver.expect_request("/own").respond_with_data("")
    first, second = two.clients
    url = httpserver.url_for("/own")
    saved = two.change({"url": url, "password": SECRET, "tries": 4}, expected_version=0)
    two.forget()

    whole = second.get("/v1/integrations/own").json()
    page = second.get("/settings/integrations/own/settings").text
    called = second.post("/v1/integrations/own/call", json={"payload": {}})
    again = two.change({"password": SECRET + "2", "tries": None}, expected_version=1)
    two.forget()
    second.post("/v1/integrations/own/call", json={"payload": {}})
    late = two.change({"mode": "hard"}, expected_version=1)

    assert (saved.status_code, again.status_code, late.status_code) == (200, 200, 409), saved.text
    assert (whole["configured"], whole["settings_in"], whole["settings_version"]) == (True, "database", 1)
    assert re.search(r'name="set.tries"[^>]* value="4"', page)
    assert called.status_code == 200, called.text
    sent = [request.json["token"] for request, _ in httpserver.log if request.json]
    assert sent == [SECRET, SECRET + "2"]  # what was kept under the settings before is gone
    audited = first.get("/v1/audit", params={"kind": "integration"}).json()["entries"]
    assert [each["after"] for each in audited] == [
        {"set": ["password", "url"], "changed": ["password", "tries"]},
        {"set": ["password", "tries", "url"], "changed": ["password", "tries", "url"]},
    ]
    everything = page + saved.text + again.text + str(audited) + caplog.text
    everything += "".join(first.get(path).text for path in ("/audit", "/settings/integrations/own"))
    files = b"".join(each.read_bytes() for each in two.folder.glob("experience.db*"))
    for secret in (SECRET, "s3cr3t-of-the-shop", url):
        assert secret not in everything
        assert secret.encode() not in files
    assert "tries" not in two.runtimes[0].kept_settings.now().tables["own"]


REFUSED: list[tuple[dict[str, Any], int, str]] = [
    ({"settings": {"url": "https://a.example/"}}, 422, "password is missing"),
    ({"settings": {"url": "https://a.example/", "password": "old-one-again"}}, 422, r"\[redacted\] was used"),
    (
        {"settings": {"url": 1, "password": "long-enough"}},
        422,
        "url is wrong: input should be a valid string",
    ),
    ({"settings": {"uri": "x"}}, 422, 'did you mean "url"'),
    ({"settings": {"password": "env:EXPERIENCE_SETTINGS_KEY"}}, 422, "password is a reference"),
    ({"settings": {"headers": {"a": ["file:/etc/passwd"]}}}, 422, "headers is a reference"),
    ({"settings": {"url": "x" * 70_000, "password": "p"}}, 422, "at most 65536"),
    ({"settings": {"k" * 5_000: 1}}, 422, "is not a setting of it"),
    ({"settings": {}}, 422, "no setting of own was given"),
    ({"settings": {"url": "u"}, "name": "webhook"}, 409, r"under \[integrations.webhook\]"),
    ({"settings": {"url": "u"}, "name": "owm"}, 404, 'did you mean "own"'),
    ({"settings": {"url": "u"}, "name": "own", "expected_version": 7}, 422, "password is missing"),
]


def test_what_cannot_be_is_refused_and_nothing_is_kept(two: Two) -> None:
    answers = [two.change(**body) for body, _, _ in REFUSED]

    for answer, (_, status, said) in zip(answers, REFUSED, strict=True):
        assert answer.status_code == status, answer.text
        assert re.search(said, answer.json()["detail"])
        assert "old-one" not in answer.text
        assert len(answer.text) < 1_000
    assert two.runtimes[0].store.integration_settings.all() == []
    # the mark `site` is none of its settings
    assert two.change({"url": "https://t.example.com/x"}, name="teams").status_code == 200


def test_the_form_tells_what_is_wrong_at_its_field_and_keeps_what_is_left_empty(two: Two) -> None:
    client, path = two.clients[0], "/settings/integrations/own/settings"
    typed = {"set.url": "https://a.example/", "set.password": SECRET, "set.tries": "12", "set.headers": "[1"}

    def sent(**fields: str) -> httpx.Response:
        page = client.get(path).text
        hidden = dict(re.findall(r'type="hidden" name="(form_token|version)" value="([^"]*)"', page))
        return client.post(path, data=hidden | fields, follow_redirects=True)

    no_json = sent(**typed)
    too_many = sent(**typed | {"set.headers": ""})
    kept = two.runtimes[0].store.integration_settings.all()
    saved = sent(**typed | {"set.headers": "", "set.tries": "2", "set.is_fast": "true"})
    changed = sent(**{"set.mode": "hard", "remove.tries": "yes"})
    stale = client.post(
        path,
        data=dict(re.findall(r'name="(form_token)" value="([^"]*)"', changed.text))
        | {"version": "1", "set.mode": "soft"},
    )

    assert (no_json.status_code, too_many.status_code, kept) == (422, 422, [])
    assert "headers is no JSON" in no_json.text
    field = re.search(r'id="set-tries" aria-invalid="true".*?</div>', too_many.text, re.DOTALL)
    assert field
    assert "less than or equal to 9" in field[0]
    assert 'value="12"' in field[0]
    assert "The settings are saved" in saved.text
    now = two.runtimes[0].kept_settings.now().tables["own"]
    assert now == {"url": "https://a.example/", "password": SECRET, "is_fast": True, "mode": "hard"}
    assert (stale.status_code, "changed meanwhile" in stale.text) == (409, True)
    assert not [each for each in (no_json, too_many, saved, changed, stale) if SECRET in each.text]


def test_what_no_key_opens_waits_until_one_does_and_a_key_can_be_changed(
    two: Two, httpserver: HTTPServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    httpserver.expect_request("/own").respond_with_data("")
    two.change({"url": httpserver.url_for("/own"), "password": SECRET})
    two.clients[0].post("/v1/integrations/own/schedule", json={"payload": {}, "options": {"delay": 0}})
    other = new_key()

    with two.runtime(EXPERIENCE_SETTINGS_KEY=other) as odd:
        _until_idle(make_worker(odd))
        with pytest.raises(IntegrationBroken, match="no key of EXPERIENCE_SETTINGS_KEY opens"):
            odd.integrations.settings("own")
        assert odd.lookup.integration("own")["pending"] == 1
        assert "no key" in odd.operations.holds()["own"]
    for name, value in (two.environ | {SETTINGS_KEY: f"{other},{two.key}"}).items():
        monkeypatch.setenv(name, value)
    with pytest.raises(SystemExit) as ended:
        main(["settings", "reseal"])
    assert ended.value.code == 0
    # a process of its own that makes the call is given them as well
    with two.runtime(EXPERIENCE_SETTINGS_KEY=other, EXPERIENCE_DELIVERY__OWN__ISOLATE="true") as anew:
        _until_idle(make_worker(anew))
        assert anew.lookup.integration("own")["pending"] == 0
    assert [request.json["token"] for request, _ in httpserver.log if request.json] == [SECRET]


def _until_idle(worker: Worker) -> None:
    worker.run(threading.Event(), until_idle=True)


Cli = Callable[..., tuple[int, str]]


@pytest.fixture
def cli(two: Two, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Cli:
    for name, value in two.environ.items():
        monkeypatch.setenv(name, value)

    def run(*words: str) -> tuple[int, str]:
        with pytest.raises(SystemExit) as ended:
            main(list(words))
        said = capsys.readouterr()
        return int(ended.value.code or 0), said.out + said.err

    return run


def test_a_shell_types_them_and_doctor_says_whether_the_key_fits(
    two: Two, cli: Cli, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    line = tmp_path / "line"
    line.write_text(f"{SECRET}\n")
    with line.open() as stdin:
        monkeypatch.setattr("sys.stdin", stdin)
        kept = cli("integrations", "set", "own", "url=https://a.example/", "tries=2", "--secret", "password")
    wrong = cli("integrations", "set", "own", "tries=many")
    bare = cli("integrations", "set", "own", SECRET)
    well = cli("doctor")
    monkeypatch.setenv(SETTINGS_KEY, new_key())
    odd = cli("doctor")
    monkeypatch.setenv(SETTINGS_KEY, "")
    starts, lists = cli("worker", "--until-idle"), cli("executions", "list")
    monkeypatch.setenv(SETTINGS_KEY, SECRET)
    no_key = cli("executions", "list")

    assert kept == (0, "the settings of own are kept: password, tries, url\n")
    assert wrong[0] == 2
    assert 'tries = "many" must be a number' in wrong[1]
    assert bare[0] == 2
    assert "KEY=VALUE" in bare[1]
    assert SECRET not in bare[1]
    assert "ok   settings key  opens the settings of own" in well[1]
    assert "FAIL settings key  the settings of own stand in the database, and no key" in odd[1]
    assert (starts[0], lists[0]) == (2, 0)
    assert "experience settings key" in starts[1]
    assert no_key[0] == 2
    assert SECRET not in no_key[1]
    assert "is no key" in no_key[1]
    two.runtimes[1].kept_settings.forget()  # what it saw half a second ago
    assert two.runtimes[1].kept_settings.now().tables["own"]["tries"] == 2
