"""Workers of one database whose integration files differ."""

import threading
from pathlib import Path

import pytest
from experience_runtime.domain.executions import Filter, Status
from experience_runtime.runtime import Runtime
from experience_runtime.runtime.working import make_worker
from experience_runtime.settings.load import Settings

from .yard import until

OWN = """
from experience_runtime.integration import Integration

class Own(Integration):
    name = "NAME"

    def call(self, payload, context):
        return payload
"""


@pytest.mark.parametrize("end", ["x = = 1\n", None], ids=["broken", "not there"])
def test_what_cannot_be_called_here_is_left_to_a_worker_where_it_can(
    address: str, tmp_path: Path, end: str | None
) -> None:
    whole, broken = (
        _folder(tmp_path / name, of_it, address) for name, of_it in (("whole", ""), ("broken", end))
    )
    stop = threading.Event()
    with Runtime(whole) as able, Runtime(broken) as unable:
        waiting = make_worker(unable)
        thread = threading.Thread(target=waiting.run, args=(stop,))
        thread.start()
        try:
            for name in ("aaa", "bbb"):
                able.scheduler.schedule(name, 1, {"delay": 0}, visitor=None)
            able.integrations.load_all()
            able.dispatcher.run_due()  # both are on their way, to whoever takes them: it takes none itself

            until(lambda: states(able)["bbb"] is Status.SUCCEEDED, lambda: states(able))
            make_worker(able).run(threading.Event(), until_idle=True)
        finally:
            stop.set()
            unable.dispatcher.wake.set()
            thread.join()

        assert states(able) == {"aaa": Status.SUCCEEDED, "bbb": Status.SUCCEEDED}


def _folder(folder: Path, end: str | None, address: str) -> Settings:
    """A folder with both; the first ends so, or is left out."""
    folder.mkdir()
    for name, text in (("aaa", None if end is None else OWN + end), ("bbb", OWN)):
        if text is not None:
            (folder / f"{name}.py").write_text(text.replace("NAME", name))
    return Settings(database=address, integrations_dir=folder)


def states(runtime: Runtime) -> dict[str, Status]:
    return {each.integration: each.status for each in runtime.store.find(Filter()).executions}
