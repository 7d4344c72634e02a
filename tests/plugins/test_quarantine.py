"""What is broken is held by itself: everything else goes on, and nothing that is scheduled is lost."""

import threading
from collections import Counter
from pathlib import Path

import pytest
from experience_runtime.domain.errors import UnknownIntegration
from experience_runtime.domain.executions import Filter, Status
from experience_runtime.plugins.quarantine import likely_name
from experience_runtime.plugins.registry import Registry
from experience_runtime.runtime import Runtime
from experience_runtime.runtime.standing import standing_of
from experience_runtime.runtime.working import make_worker
from experience_runtime.settings.load import Settings

OWN = """
from experience_runtime.integration import Integration

class Own(Integration):
    name = "NAME"

    def call(self, payload, context):
        return payload
"""


@pytest.mark.parametrize(
    ("text", "name"),
    [
        (OWN.replace("NAME", "sms"), "sms"),
        (OWN.replace("NAME", "sms") + "\nx = = 1", "sms"),
        ("import nothing\nclass A:\n    name, settings = 'sms', None\n", "sms"),
        ("class A:\n    name: str = 'sms'\n", "sms"),
        ("class A:\n    name = 'a'\nclass B:\n    name = 'b'\n", "my-file"),
        ("class A:\n    name = 'no name'\n", "my-file"),
        ("name = 'sms'\n", "my-file"),
        ("\0", "my-file"),
        ("x = 1", "my-file"),
    ],
)
def test_a_broken_file_is_called_as_it_would_be(tmp_path: Path, text: str, name: str) -> None:
    path = tmp_path / "my_file.py"
    path.write_text(text)

    assert likely_name(path) == name


def test_what_is_scheduled_for_a_broken_one_waits_until_it_is_repaired(tmp_path: Path) -> None:
    """Through three starts: all well, three ways of being broken with a healthy one beside, repaired."""
    folder = tmp_path / "mine"
    folder.mkdir()
    for name in ("fine", "sms", "gone", "twice"):
        (folder / f"{name}.py").write_text(OWN.replace("NAME", name))
    settings = Settings(database=f"sqlite:///{tmp_path}/rows.db", integrations_dir=folder)

    def start(*names: str) -> Counter[tuple[str, Status]]:
        with Runtime(settings) as runtime:
            for name in names:
                told = runtime.scheduler.schedule(name, {"to": 1}, {"delay": 0}, visitor=None)
                assert bool(told.warnings) is (name != "fine")
            make_worker(runtime).run(threading.Event(), until_idle=True)
            found = runtime.store.find(Filter()).executions
            held = runtime.operations.waits_because(found)
            assert set(held) == {each.id for each in found if each.status is Status.PENDING}
            assert all("broken: " in because for because in held.values())
            standing = standing_of(runtime)
            assert {standing.held(each.integration) for each in found if each.id in held} <= {"broken"}
            return Counter((each.integration, each.status) for each in found)

    with Runtime(settings) as runtime:
        for name in ("fine", "sms", "gone", "twice"):
            runtime.scheduler.schedule(name, {"to": 1}, {"delay": 0}, visitor=None)

    (folder / "sms.py").write_text(OWN.replace("NAME", "sms") + "\nx = = 1\n")
    (folder / "gone.py").write_text("import no_such_module\n")  # its name cannot be told: "sms" may be it too
    (folder / "gone.py").rename(folder / "renamed.py")
    (folder / "again.py").write_text(OWN.replace("NAME", "twice"))
    broken = start("sms", "twice", "fine")

    for name in ("sms", "gone"):
        (folder / f"{name}.py").write_text(OWN.replace("NAME", name))
    (folder / "renamed.py").unlink()
    (folder / "again.py").unlink()
    mended = start()

    waiting, done = Status.PENDING, Status.SUCCEEDED
    assert broken == {("fine", done): 2, ("sms", waiting): 2, ("twice", waiting): 2, ("gone", waiting): 1}
    assert mended == {("fine", done): 2, ("sms", done): 2, ("twice", done): 2, ("gone", done): 1}


def test_what_a_broken_file_may_define_is_told_with_it_and_without_secrets(tmp_path: Path) -> None:
    (tmp_path / "other.py").write_text("raise ValueError('the key s3cret-s3cret is wrong')")
    found = Registry(Settings(integrations_dir=tmp_path, secrets=frozenset(("s3cret-s3cret",))))

    with pytest.raises(UnknownIntegration) as refused:
        found.get("sms")

    held = found.broken("sms")
    assert held is not None
    for told in (held, refused.value.message):
        assert "other.py:1: ValueError: the key" in told
        assert "s3cret-s3cret" not in told
