"""What was changed on disk since a process read it."""

from pathlib import Path

from experience_runtime.settings.on_disk import OnDisk


def test_what_is_changed_new_or_gone_is_told_and_nothing_else(tmp_path: Path) -> None:
    config, folder = tmp_path / "experience.toml", tmp_path / "mine"
    folder.mkdir()
    files = {name: folder / f"{name}.py" for name in ("same", "changed", "gone", "_helper")}
    for path in (config, *files.values()):
        path.write_text("one")
    seen = OnDisk(config, folder)
    assert seen.changed() == []

    files["same"].write_text("one")
    files["changed"].write_text("two")
    files["_helper"].write_text("two")
    files["gone"].unlink()
    (folder / "new.py").write_text("one")
    (folder / "notes.txt").write_text("one")

    names = ("_helper", "changed", "gone", "new")
    assert seen.changed() == [str(folder / f"{name}.py") for name in names]
    config.unlink()
    assert str(config) in seen.changed()
    assert OnDisk(None, None).changed() == []
