"""`--database postgresql://…`: what each command says when it cannot have it, without the password."""

import importlib.util
from typing import Any

import pytest
from experience_runtime.cli import main

AWAY = "postgresql://ada:s3cret-pw@127.0.0.1:1/none"


@pytest.mark.parametrize(
    "words",
    [
        ["doctor"],
        ["migrate"],
        ["workers", "list"],
        ["executions", "list"],
        ["worker", "--until-idle"],
        ["convert", "ada"],
        ["schedules", "list"],
    ],
    ids=" ".join,
)
@pytest.mark.parametrize("as_json", [False, True])
def test_a_server_that_is_away_is_named_without_its_password(
    words: list[str], as_json: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main([*words, "--database", AWAY, *(["--json"] if as_json else [])], standalone_mode=False)

    shown = "".join(capsys.readouterr())
    assert ended.value.code in (1, 2)
    assert "127.0.0.1:1/none" in shown
    assert "s3cret-pw" not in shown


def test_a_missing_extra_is_named_with_what_installs_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    find = importlib.util.find_spec

    def without(name: str, *rest: Any) -> Any:
        return None if name == "psycopg" else find(name, *rest)

    monkeypatch.setattr(importlib.util, "find_spec", without)

    with pytest.raises(SystemExit) as ended:
        main(["executions", "list", "--database", AWAY], standalone_mode=False)

    assert ended.value.code == 2
    assert "pip install 'experience-runtime[postgres]'" in capsys.readouterr().err


def test_a_file_has_one_worker_so_only_is_refused(tmp_path: Any, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(
            ["worker", "--only", "webhook", "--database", f"sqlite:///{tmp_path / 'experience.db'}"],
            standalone_mode=False,
        )

    assert "--only" in capsys.readouterr().err
