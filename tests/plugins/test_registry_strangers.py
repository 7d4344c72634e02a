"""What a third party's file raises, and what nothing would run: a refusal, never the end of the process."""

import subprocess
import sys
from pathlib import Path

import pytest
from experience_runtime.domain.errors import InvalidParameter, InvalidPayload
from experience_runtime.plugins.registry import Registry
from experience_runtime.settings.load import Settings

PLAIN = """
from experience_runtime.integration import Integration

class Plain(Integration):
    name = "plain"
    def call(self, payload, context):
        return None
"""


def registry(folder: Path, text: str) -> Registry:
    (folder / "one.py").write_text(text)
    made = Registry(Settings(integrations_dir=folder))
    made.names()
    return made


@pytest.mark.parametrize(
    ("where", "raised"),
    [
        ("check", "sys.exit(0)"),
        ("check", "raise GeneratorExit"),
        ("check", "raise TwoPart('to', 'no number')"),
        ("check", "raise Exiting"),
        ("read", "sys.exit(0)"),
    ],
)
def test_nothing_a_third_party_raises_escapes(tmp_path: Path, where: str, raised: str) -> None:
    text = """
import sys
from experience_runtime.integration import Integration, InvalidPayload
from pydantic import BaseModel, model_validator

class TwoPart(InvalidPayload):
    def __init__(self, field, why):
        super().__init__(f"{field}: {why}")

class Exiting(Exception):
    def __str__(self):
        sys.exit(0)

class Odd(BaseModel):
    @model_validator(mode="before")
    @classmethod
    def read(cls, value):
        pass
        return value

class Plain(Integration):
    name = "plain"
    payload = Odd

    def __init__(self):
        pass

    def check(self, payload, settings):
        pass

    def call(self, payload, context):
        return 1
"""
    start, found, rest = text.partition(f"def {where}(")
    integrations = registry(tmp_path, start + found + rest.replace("pass", raised, 1))

    with pytest.raises((InvalidPayload, InvalidParameter)) as caught:
        integrations.parse_payload("plain", {})

    assert type(caught.value) in (InvalidPayload, InvalidParameter)


def test_a_file_that_raises_anything_is_a_refusal(tmp_path: Path) -> None:
    (why,) = [line.why or "" for line in registry(tmp_path, "raise GeneratorExit").describe() if line.broken]

    assert "one.py:1: GeneratorExit" in why


@pytest.mark.parametrize(
    "method",
    [
        "async def call(self, payload, context): return 1",
        "def call(self, payload, context): yield 1",
        "async def call(self, payload, context): yield 1",
        "def call(self, payload, context): return 1\n    async def check(self, payload, settings): return",
    ],
)
def test_a_method_that_nothing_would_run_is_refused(tmp_path: Path, method: str) -> None:
    text = PLAIN.replace("def call(self, payload, context):\n        return None", method)

    assert [
        "make it a plain function" in (line.why or "")
        for line in registry(tmp_path, text).describe()
        if line.broken
    ] == [True]


def test_asking_for_names_does_not_import_http() -> None:
    program = (
        "import sys\n"
        f"sys.path[:0] = {[path for path in sys.path if path]!r}\n"
        "from experience_runtime.plugins.registry import Registry\n"
        "from experience_runtime.settings.load import Settings\n"
        "Registry(Settings()).names()\n"
        "print([name for name in ('httpx2', 'httpcore2') if name in sys.modules])\n"
    )

    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "[]"
