"""`from experience_runtime import App`: the documented call, on this directory's settings.

Source: reference/scheduled-events.
"""

import subprocess
import sys
from pathlib import Path

import pytest
from experience_runtime import App
from experience_runtime import runtime as composition
from experience_runtime.domain.executions import Execution, Filter
from experience_runtime.settings.load import load_settings

CONFIG = """
[csml]
client = { bot_id = "bot", channel_id = "messenger", user_id = "anna" }
"""


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("experience.toml").write_text(CONFIG)


def stored() -> list[Execution]:
    with composition.Runtime(load_settings(environ={})) as opened:
        return list(opened.store.find(Filter()).executions)


def test_an_event_is_stored_where_the_settings_say_for_the_client_they_name() -> None:
    answer = App("utils/scheduler", action="broadcast", delay="15m", flow_id="myFlow", step_id="myStep")

    (execution,) = stored()
    assert answer["success"] is True
    assert answer["result"]["step_id"] == "myStep"
    assert (execution.visitor, execution.integration) == ("anna", "broadcast")


def test_a_client_that_is_named_counts_and_not_the_one_of_the_settings() -> None:
    App("utils/scheduler", delay="5 min", flow_id="f", schedule_id="x", client={"user_id": "ben"})

    assert App("utils/scheduler", action="cancel", schedule_id="x")["cancelled"] is False
    assert App("utils/scheduler", action="cancel", schedule_id="x", client={"user_id": "ben"})["cancelled"]


def test_without_any_client_a_url_can_be_called() -> None:
    Path("experience.toml").write_text("")

    assert App("utils/scheduler", action="webhook", delay="1d", url="https://example.com/")["success"]
    assert App("utils/scheduler", flow_id="f", delay="1d")["error"]["code"] == "missing_parameter"


def test_the_documents_own_example_is_refused_for_its_missing_url() -> None:
    answer = App("utils/scheduler", action="webhook", schedule_time="2020-03-12 12:33:00")

    assert answer["error"]["code"] == "missing_parameter"
    assert stored() == []


def test_a_client_that_is_none_is_a_refusal() -> None:
    answer = App("utils/scheduler", delay="1d", flow_id="f", client={"userid": "ben"})

    assert answer["error"]["code"] == "invalid_parameter"


def test_importing_the_package_brings_in_no_library() -> None:
    code = (
        "import sys, experience_runtime as e; assert callable(e.App)\n"
        "print([n for n in ('pydantic', 'apsw', 'fastapi', 'httpcore2', 'asyncio') if n in sys.modules])"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert ended.stdout == "[]\n"
