"""What a test needs from the machine: missing, it is skipped, and under REQUIRE_ALL it fails."""

import os
from typing import NoReturn

import pytest


def lacking(what: str) -> NoReturn:
    """End the test because the machine lacks something; CI sets REQUIRE_ALL, so there it is a failure."""
    if os.environ.get("REQUIRE_ALL"):
        pytest.fail(f"{what}, and REQUIRE_ALL is set")
    pytest.skip(what)
