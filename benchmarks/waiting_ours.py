"""The Experience Runtime as a contestant of `benchmarks/waiting.py`.

The callers use the scheduler, and every call goes the way of a user's: parsed, planned, stored under its key
with `synchronous=FULL`. The worker is `experience worker`. Numbers from `HTTP_FROM` are for the integration
`webhook`, the others for `noop`.
"""

import importlib.metadata
import os
import sys
from pathlib import Path

from experience_runtime.domain.visitors import Visitor
from experience_runtime.runtime import Runtime
from experience_runtime.settings.load import load_settings

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE / "peers"))

from waiting_verbs import TEXT, run  # noqa: E402 - the folder of the peers is no package

FILLED_UNTIL = 10_000_000
"""Numbers below this are pending for the figures; above, they are planned for the near future."""

HTTP_FROM = 50_000_000
ROWS_A_VISITOR = 2

NOOP = """
import sys

sys.path.insert(0, {peers!r})

from experience_runtime.integration import Context, Integration
from waiting_verbs import record_start


class NoOp(Integration[None, dict]):
    name = "noop"

    def call(self, payload: dict, context: Context[None]) -> None:
        record_start({folder!r}, payload["number"])
"""

CONFIG = """
database = "sqlite:///{folder}/ours.db"
integrations_dir = "{folder}/integrations"

[integrations.webhook]
url = "http://127.0.0.1:{port}/"

[outbound]
allow_private = ["127.0.0.1/32"]
"""


def prepare(folder: Path, port: int) -> None:
    """Write what a user would: a settings file, and an integration of their own."""
    (folder / "integrations").mkdir(exist_ok=True)
    noop = NOOP.format(peers=str(HERE / "peers"), folder=str(folder))
    (folder / "integrations" / "noop.py").write_text(noop, encoding="utf-8")
    (folder / "experience.toml").write_text(CONFIG.format(folder=folder, port=port), encoding="utf-8")


class Ours:
    def __init__(self, folder: Path) -> None:
        self._app = Runtime(load_settings(config=folder / "experience.toml", environ={}))
        self._scheduler = self._app.scheduler

    def schedule(self, number: int, due_at: float) -> None:
        options: dict[str, object] = {"key": _key(number), "time": round(due_at * 1000)}
        if number < FILLED_UNTIL:
            options["window"] = {"day": "monday-friday", "time": "09:00-17:00"}
            options["cancelOnConversion"] = True
        self._scheduler.schedule(
            "webhook" if number >= HTTP_FROM else "noop",
            {"number": number, "message": TEXT},
            options,
            visitor=_visitor(number),
            experience="abandoned-basket",
        )

    def cancel(self, number: int) -> bool:
        cancelled = self._scheduler.cancel("noop", {"key": _key(number)}, visitor=_visitor(number))
        return len(cancelled.ids) == 1

    def convert(self, visitor_number: int) -> None:
        ids = self._scheduler.convert(f"visitor-{visitor_number:012d}")
        if len(ids) != ROWS_A_VISITOR:
            raise SystemExit(f"{len(ids)} executions cancelled, not {ROWS_A_VISITOR}")

    def close(self) -> None:
        self._app.close()


def work(folder: Path) -> None:
    """Become the worker that a user starts."""
    experience = str(Path(sys.executable).with_name("experience"))
    os.execv(experience, [experience, "worker", "--config", str(folder / "experience.toml")])


def _key(number: int) -> dict[str, str]:
    return {"email": f"ada.{number:08d}@example.com"}


def _visitor(number: int) -> Visitor:
    return Visitor(id=f"visitor-{number // ROWS_A_VISITOR:012d}", timezone="America/New_York")


if __name__ == "__main__":
    run(sys.argv[1:], Ours, work, importlib.metadata.version("experience-runtime"))
