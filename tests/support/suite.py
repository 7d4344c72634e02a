"""The suite as a whole: folders in memory, the same examples every time, and marks by use."""

import os
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

TESTS = Path(__file__).resolve().parents[1]
BROWSERS = {"chromium", "browser"}
SLOW = (
    # processes that are killed, whole commands, a real browser: seconds a test
    *("docs/", "samples/", "distribution/test_wheel.py", "distribution/test_benchmarks.py", "web/pages/"),
    "distribution/test_deploy_runs.py",
    *("web/snippet/", "web/test_schema.py", "web/test_serve.py", "web/test_killed_in_a_request.py"),
    *("cli/test_integrations_new.py", "scripts/test_hostile_texts.py"),
    # hundreds of cases, each with a served application of its own
    *("web/test_access.py", "web/test_gateway_strangers.py", "web/test_hostile.py"),
    *(
        "system/e2e/",
        "system/faults/",
        "system/hostile/",
        "system/model/",
        "system/postgres/",
        "system/races/",
    ),
)
# Whole commands, terminals, served applications: many seconds a file. One other Python runs these too.
SECONDS = (
    *("cli/test_broken_input.py", "cli/test_bulk.py", "cli/test_codes.py", "cli/test_dev.py"),
    *("cli/test_documents.py", "cli/test_new.py", "cli/test_pty.py", "cli/test_simulate.py"),
    *("cli/test_terminal.py", "distribution/test_dev.py", "isolation/", "sandbox/test_locale.py"),
    *("distribution/test_tree.py", "sandbox/test_limits_that_hold.py", "sandbox/test_pool.py"),
    *("testing/test_check_integration.py", "web/test_idempotency.py"),
    *("store/test_contract_threads.py", "web/test_csml.py", "web/test_extremes.py", "web/test_gateway.py"),
    *("web/test_kept_runs.py", "web/test_middleware.py", "web/test_proxies.py", "web/test_reading.py"),
    "web/test_real_proxies.py",
    *("web/test_refusals.py", "web/test_same_visitor.py", "web/test_snippet.py"),
)
# What takes longest begins first, so that no processor waits for the other at the end.
FIRST = (
    "system/model/",
    "system/postgres/",
    "system/",
    "web/snippet/",
    "web/pages/",
    "web/",
    "docs/",
    "cli/",
)

# The same examples every time, and none too slow for a machine that does other things: a test that is red is
# red again. FRESH=1 looks for new ones.
settings.register_profile(
    "suite",
    derandomize=not os.environ.get("FRESH"),
    database=None,
    deadline=None,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("suite")


_MEMORY = "/dev/shm"
_NEEDED_BYTES = 4 << 30


def pytest_configure() -> None:
    """Put the folders of tests into memory where there is room: most of a test would be fsync.

    What is killed there is a process, never the machine, so nothing hangs on the disk. TMPDIR says otherwise.
    """
    if "TMPDIR" in os.environ or not os.access(_MEMORY, os.W_OK):
        return
    room = os.statvfs(_MEMORY)
    if room.f_bavail * room.f_frsize >= _NEEDED_BYTES and not room.f_flag & os.ST_NOEXEC:
        os.environ["TMPDIR"] = tempfile.tempdir = _MEMORY


def _turn(item: pytest.Item) -> int:
    place = _place(item)
    return next((turn for turn, start in enumerate(FIRST) if place.startswith(start)), len(FIRST))


def _place(item: pytest.Item) -> str:
    return item.path.relative_to(TESTS).as_posix()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what is slow, and what needs PostgreSQL or a browser, so that `-m` can leave it out."""
    items.sort(key=_turn)
    for item in items:
        place = _place(item)
        given = getattr(item, "callspec", None)
        if place.startswith(SLOW):
            item.add_marker("slow")
        if place.startswith(SECONDS):
            item.add_marker("seconds")
        if place.startswith("system/postgres/") or (
            given and any(each == "postgresql" for each in given.params.values() if isinstance(each, str))
        ):
            item.add_marker("postgres")
        if BROWSERS & set(getattr(item, "fixturenames", ())):
            item.add_marker("browser")
