"""The OpenAPI document against the server: what fits it is answered as it says, what does not is refused.

SCHEMA_EXAMPLES says how many requests are invented for each operation. The long run, which also covers the
limits of every field, is `SCHEMA_EXAMPLES=1000 pytest tests/web/test_schema.py`.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import httpx
from experience_runtime.domain.access import Scope

from .conftest import Token

EXAMPLES = int(os.environ.get("SCHEMA_EXAMPLES", "25"))
# What covers the limits sends requests that are no HTTP; now and then the client loses its connection by one.
PHASES = "examples,coverage,fuzzing" if EXAMPLES > 25 else "examples,fuzzing"
_LONGEST_SECONDS = 60 + 30 * EXAMPLES


def test_the_server_is_what_its_document_says(client: httpx.Client, token: Token, folder: Path) -> None:
    command = shutil.which("schemathesis", path=str(Path(sys.executable).parent))
    assert command is not None
    done = subprocess.run(
        [
            command,
            "--config-file",
            str(Path(__file__).with_name("schemathesis.toml")),
            "run",
            f"{client.base_url}/v1/openapi.json",
            "--header",
            f"Authorization: Bearer {token(Scope.OPERATOR)}",
            # a text that is no duration fits the document: the rules of the domain are not in it
            "--exclude-checks=positive_data_acceptance",
            f"--phases={PHASES}",
            f"--max-examples={EXAMPLES}",
            *(
                [] if EXAMPLES > 25 else ["--seed=20261124"]
            ),  # the same requests every time; a long run seeks new ones
            "--continue-on-failure",
            "--workers=2",
            "--no-color",
            "--suppress-health-check=all",
        ],
        cwd=folder,
        env={name: value for name, value in os.environ.items() if not name.startswith("HYPOTHESIS")},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=_LONGEST_SECONDS + 600,
        check=False,
    )

    assert done.returncode == 0, done.stdout[-8000:] + done.stderr[-2000:]
    assert "No tests were" not in done.stdout
