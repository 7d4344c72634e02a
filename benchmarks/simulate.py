"""Print how long it takes to simulate 2,000 executions over 29 virtual days. Goal: at most 0.5 s.

.venv/bin/python -m benchmarks.simulate [--executions N] [--rounds N]
"""

import argparse
import os
import statistics
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from experience_runtime.cli.collecting import look_seldom
from experience_runtime.runtime import Runtime
from experience_runtime.scripts.loading import prepare
from experience_runtime.settings.load import load_settings
from experience_runtime.simulation.simulate import simulate
from experience_runtime.simulation.story import Story

VARIATION = """
module.exports = async function variation (options) {
  const webhook = options.integration('webhook')
  const spacing = 29 * 24 * 60 * 60 * 1000 / EXECUTIONS
  for (let batch = 0; batch < EXECUTIONS; batch += 500) {
    const calls = []
    for (let n = batch; n < Math.min(batch + 500, EXECUTIONS); n++) {
      calls.push(webhook.schedule({ n: n }, { key: { n: n }, delay: Math.round(n * spacing) }))
    }
    await Promise.all(calls)
  }
}
"""


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--executions", type=int, default=2000)
    parser.add_argument("--rounds", type=int, default=5)
    asked = parser.parse_args()
    look_seldom()  # as every `experience …` does
    story = Story.model_validate(
        {
            "at": "2026-03-06T12:00:00Z",
            "visitors": [{"id": "v1", "timezone": "America/New_York"}],
            "steps": [{"do": "run", "visitor": "v1"}],
        }
    )
    with tempfile.TemporaryDirectory() as folder, Runtime(load_settings(environ=os.environ)) as runtime:
        file = Path(folder) / "variation.js"
        file.write_text(VARIATION.replace("EXECUTIONS", str(asked.executions)), encoding="utf-8")
        script = prepare(file)
        seconds, processor = [], []
        for _ in range(asked.rounds):
            began, used = time.perf_counter(), time.process_time()
            simulated = simulate(
                script,
                story,
                sandbox=runtime.sandbox,
                integrations=runtime.integrations,
                conversions=runtime.settings.conversions,
                now=datetime.now(UTC),
                client=runtime.settings.client,
                redact=str,
            )
            seconds.append(time.perf_counter() - began)
            processor.append(time.process_time() - used)
        outcome = {report.outcome for report in simulated.reports}
        succeeded = sum(execution.status == "succeeded" for execution in simulated.executions)
    if succeeded != asked.executions:
        raise SystemExit(f"{succeeded} of {asked.executions} executions succeeded")
    span = simulated.ended_at - simulated.began_at
    print(f"executions {succeeded} succeeded, run {outcome}, virtual span {span}")
    print(f"seconds: min {min(seconds):.2f}, median {statistics.median(seconds):.2f}, max {max(seconds):.2f}")
    print(f"processor time of this process: min {min(processor):.2f} s")


if __name__ == "__main__":
    main()
