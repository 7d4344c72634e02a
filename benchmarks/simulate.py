"""Print how long it takes to simulate 2,000 executions over 29 virtual days. Goal: at most 1 s.

.venv/bin/python benchmarks/simulate.py
"""

import os
import statistics
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from experience_runtime.runtime import Runtime
from experience_runtime.scripts.loading import prepare
from experience_runtime.settings.load import load_settings
from experience_runtime.simulation.simulate import simulate
from experience_runtime.simulation.story import Story

EXECUTIONS = 2000
ROUNDS = 5
VARIATION = f"""
module.exports = async function variation (options) {{
  const webhook = options.integration('webhook')
  const spacing = 29 * 24 * 60 * 60 * 1000 / {EXECUTIONS}
  for (let batch = 0; batch < {EXECUTIONS}; batch += 500) {{
    const calls = []
    for (let n = batch; n < batch + 500; n++) {{
      calls.push(webhook.schedule({{ n: n }}, {{ key: {{ n: n }}, delay: Math.round(n * spacing) }}))
    }}
    await Promise.all(calls)
  }}
}}
"""


def main() -> None:
    story = Story.model_validate(
        {
            "at": "2026-03-06T12:00:00Z",
            "visitors": [{"id": "v1", "timezone": "America/New_York"}],
            "steps": [{"do": "run", "visitor": "v1"}],
        }
    )
    with tempfile.TemporaryDirectory() as folder, Runtime(load_settings(environ=os.environ)) as runtime:
        file = Path(folder) / "variation.js"
        file.write_text(VARIATION, encoding="utf-8")
        script = prepare(file)
        seconds = []
        for _ in range(ROUNDS):
            began = time.perf_counter()
            simulated = simulate(
                script,
                story,
                sandbox=runtime.sandbox,
                integrations=runtime.integrations,
                conversions=runtime.settings.conversions,
                now=datetime.now(UTC),
            )
            seconds.append(time.perf_counter() - began)
        outcome = {report.outcome for report in simulated.reports}
        succeeded = sum(execution.status == "succeeded" for execution in simulated.executions)
    span = simulated.ended_at - simulated.began_at
    print(f"executions {succeeded} succeeded, run {outcome}, virtual span {span}")
    print(f"seconds: min {min(seconds):.2f}, median {statistics.median(seconds):.2f}, max {max(seconds):.2f}")


if __name__ == "__main__":
    main()
