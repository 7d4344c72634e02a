"""One contestant in a process of its own: `run.py NAME VARIATION`.

Says its version, then reads counts, one a line, and answers each with the seconds of so many runs. Every run
is a fresh context, the stub, the script, its calls read and answered, and its outcome read back. Starts in an
environment that has the contestant only, so it imports nothing of ours.
"""

import contextlib
import importlib
import importlib.metadata
import json
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

Evaluate = Callable[[str], Any]
"""Run a script in the context, and every microtask it leaves; return the script's value."""
Fresh = Callable[[], contextlib.AbstractContextManager[Evaluate]]


@contextlib.contextmanager
def quickjs_ng() -> Iterator[Evaluate]:
    context = importlib.import_module("_quickjs").Context()

    def evaluate(text: str) -> Any:
        value = context.eval(text)
        while context.execute_pending_job():
            pass
        return value

    yield evaluate


@contextlib.contextmanager
def mini_racer() -> Iterator[Evaluate]:
    context = importlib.import_module("py_mini_racer").MiniRacer()
    yield context.eval
    context.close()


@contextlib.contextmanager
def jsrun() -> Iterator[Evaluate]:
    runtime = importlib.import_module("jsrun").Runtime()
    yield runtime.eval
    runtime.close()


CONTESTANTS: dict[str, Fresh] = {"quickjs-ng": quickjs_ng, "mini-racer": mini_racer, "jsrun": jsrun}


def main(name: str, variation: str) -> None:
    fresh = CONTESTANTS[name]
    stub = Path(__file__).with_name("stub.js").read_text(encoding="utf-8")
    wrapped = f"host.start(function (module, exports) {{{Path(variation).read_text(encoding='utf-8')}\n}})"
    run_once(fresh, stub, wrapped)
    print(json.dumps({"version": importlib.metadata.version(name)}), flush=True)
    for line in sys.stdin:
        seconds = []
        for _ in range(int(line)):
            began = time.perf_counter()
            run_once(fresh, stub, wrapped)
            seconds.append(time.perf_counter() - began)
        print(json.dumps(seconds), flush=True)


def run_once(fresh: Fresh, stub: str, wrapped: str) -> None:
    with fresh() as evaluate:
        evaluate(stub)
        evaluate(wrapped)
        asked = json.loads(evaluate("host.collect()"))
        calls = [item for item in asked["outbox"] if item["kind"] == "call"]
        answers = [{"id": call["id"], "result": {"id": "exe_1", "replaced": None}} for call in calls]
        evaluate(f"host.deliver({json.dumps(json.dumps(answers))})")
        told = json.loads(evaluate("host.collect()"))
    metadata = [item["metadata"] for item in told["outbox"]]
    if len(calls) != 3 or told["outcome"] != "done" or metadata != [{"count": 3, "hour": 9}]:
        raise SystemExit(f"the variation did not do its work: {told}")


if __name__ == "__main__":
    main(*sys.argv[1:])
