"""Print how long whole commands take. Goals: `--help` at most 0.25 s, `run` of a small file at most 0.8 s.

.venv/bin/python benchmarks/commands.py [--rounds N]
"""

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

EXPERIENCE = str(Path(sys.executable).with_name("experience"))
VARIATION = """
module.exports = function variation (options) {
  return options.integration('webhook').schedule({ n: 1 }, { key: { n: 1 }, delay: '1 hour' })
}
"""


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=15)
    rounds = parser.parse_args().rounds
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "variation.js"
        file.write_text(VARIATION, encoding="utf-8")
        for arguments in (
            ["--help"],
            ["explain", "--delay", "1d", "--json"],
            ["executions", "list", "--json"],
            ["run", str(file), "--visitor", "v1", "--json"],
            ["simulate", str(file), "--visitor", "v1", "--json"],
        ):
            seconds = []
            for _ in range(rounds):
                began = time.perf_counter()
                done = subprocess.run([EXPERIENCE, *arguments], cwd=folder, capture_output=True, check=False)
                seconds.append(time.perf_counter() - began)
                if done.returncode != 0:
                    raise SystemExit(done.stderr.decode())
            print(
                f"experience {arguments[0]:<10} min {min(seconds):.3f} s  "
                f"median {statistics.median(seconds):.3f} s  max {max(seconds):.3f} s"
            )


if __name__ == "__main__":
    main()
