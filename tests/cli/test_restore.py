"""experience restore: a backup put back, and what is due again said."""

import json
from pathlib import Path

import pytest
from experience_runtime.cli import main
from experience_runtime.domain.executions import Filter
from experience_runtime.store.opening import open_sqlite

from tests.support.executions import LATER, add, an_execution


def test_a_backup_is_restored_and_sends_nothing_until_somebody_has_looked(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, copy = tmp_path / "experience.db", str(tmp_path / "copy.db")
    database = ["--database", f"sqlite:///{path}"]
    store = open_sqlite(str(path))
    add(store, an_execution(1))
    store.close()
    main(["backup", copy, *database], standalone_mode=False)
    store = open_sqlite(str(path))
    add(store, an_execution(2))
    store.close()
    capsys.readouterr()

    main(["restore", copy, *database, "--json"], standalone_mode=False)

    document = json.loads(capsys.readouterr().out)
    assert document["moved_to"] == f"{path}.before-1"
    assert document["due"] == 1  # its time was in 2026-03
    store = open_sqlite(str(path))
    assert [each.number for each in store.find(Filter()).executions] == [1]
    assert store.claim_due(now=LATER, lease_until=LATER, limit=10) == []
    store.close()
    assert document["held_at"] is not None
    main(["executions", "list", *database], standalone_mode=False)
    assert "everything is held since" in capsys.readouterr().out
    cancel = ["executions", "cancel", "--due-before", "2027-01-01", "--reason", "restored", *database]
    main([*cancel, "--dry-run"], standalone_mode=False)
    assert capsys.readouterr().out == "1 execution would be cancelled\n"
    main([*cancel, "--yes"], standalone_mode=False)
    main(["resume", "all", *database, "--json"], standalone_mode=False)
    assert capsys.readouterr().out.endswith('{"held_at": null, "reason": null, "pending": 0}\n')


def test_doctor_names_a_damaged_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "experience.db"
    open_sqlite(str(path)).close()
    content = bytearray(path.read_bytes())
    content[len(content) // 2 : len(content) // 2 + 8192] = b"\xff" * 8192
    path.write_bytes(content)

    with pytest.raises(SystemExit):
        main(["doctor", "--database", f"sqlite:///{path}", "--json"], standalone_mode=False)

    (check,) = [each for each in json.loads(capsys.readouterr().out)["checks"] if each["name"] == "database"]
    assert not check["ok"]
    assert "damaged" in check["detail"]
