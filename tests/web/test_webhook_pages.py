"""The page of webhooks, and what doctor says of them: of what each is told, how that went, and a test."""

import re
import threading
from pathlib import Path

import httpx
import pytest
from experience_runtime.cli import main
from experience_runtime.runtime import Runtime
from experience_runtime.runtime.webhooks import make_telling
from experience_runtime.runtime.working import make_worker
from experience_runtime.settings.load import load_settings
from experience_runtime.web.server import make_web
from pytest_httpserver import HTTPServer

from tests.support.serving import serving

PAGE = "/settings/webhooks"


def test_the_page_and_doctor_tell_which_webhook_took_its_calls_and_which_did_not(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    httpserver: HTTPServer,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    httpserver.expect_request("/good").respond_with_data("")
    httpserver.expect_request("/gone").respond_with_data("who?", status=410)
    (tmp_path / "experience.toml").write_text(
        '[outbound]\nallow_private = ["127.0.0.1/32"]\n'
        f'[webhooks.crm]\nurl = "{httpserver.url_for("/good")}"\non = ["execution.scheduled"]\n'
        f'[webhooks.old]\nurl = "{httpserver.url_for("/gone")}?key=of-the-old-one"\n'
        'on = ["execution.scheduled"]\nintegrations = ["webhook"]\n'
    )
    settings = load_settings(config=tmp_path / "experience.toml", environ={})
    with Runtime(settings) as runtime:
        web = make_web(runtime.for_serving(), is_open=True)
        with serving(web) as address, httpx.Client(base_url=address, trust_env=False, timeout=120) as client:
            telling = make_telling(runtime)
            telling.begin()
            before = client.get(PAGE).text
            body = {"payload": {"body": 1}, "options": {"delay": "1 hour"}}
            assert client.post("/v1/integrations/webhook/schedule", json=body).status_code == 200
            telling.step()
            make_worker(runtime).run(threading.Event(), until_idle=True)
            page = client.get(PAGE).text
            form_token = dict(re.findall(r'name="(form_token)" value="([^"]*)"', page))
            told = client.post(f"{PAGE}/crm/test", data=form_token, follow_redirects=True)
            refused = client.post(f"{PAGE}/old/test", data=form_token)
            nobody = client.post(f"{PAGE}/nobody/test", data=form_token)
            forged = client.post(f"{PAGE}/crm/test")
    with pytest.raises(SystemExit):
        main(["doctor"])
    said = capsys.readouterr().out

    assert before.count("none of the latest 200 calls") == 2
    crm, old = re.findall(r'<section class="card" aria-labelledby="webhook-.*?</section>', page, re.DOTALL)
    assert "1 taken, none failed, 0 under way" in re.sub(r"\s+", " ", crm)
    assert "0 taken, " in old
    assert "1 failed" in old
    assert "410" in old
    assert "The webhook took the test." in told.text
    assert (refused.status_code, "old did not take the event" in refused.text) == (502, True)
    assert (nobody.status_code, forged.status_code) == (404, 403)
    assert "FAIL webhooks      old was not told at" in said
    assert "of-the-old-one" not in before + page + told.text + refused.text + said
