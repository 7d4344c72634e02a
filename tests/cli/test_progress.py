"""Progress is for a person at a terminal, and leaves nothing behind."""

import os
import pty
import sys
from io import StringIO

import pytest
from experience_runtime.cli.progress import counted


def test_a_terminal_shows_how_far_it_is_and_then_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    master, slave = pty.openpty()
    with os.fdopen(slave, "w") as terminal:
        monkeypatch.setattr(sys, "stderr", terminal)
        with counted("copied", 200) as show:
            for done in (1, 50, 50, 200):
                show(done)
        print("end", file=terminal, flush=True)
        shown = ""
        while not shown.endswith("end\r\n"):  # a terminal gives what it has, which may be a part
            shown += os.read(master, 65536).decode()
        os.close(master)
    lines = [line.removeprefix("\x1b[2K") for line in shown.removesuffix("end\r\n").split("\r")]
    assert lines == [
        "",
        f"copied [{'':40}]   0 %",
        f"copied [{'#' * 10:40}]  25 %",
        f"copied [{'#' * 40}] 100 %",
        "",
    ]


def test_what_is_no_terminal_hears_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    log = StringIO()
    monkeypatch.setattr(sys, "stderr", log)

    with counted("copied", 0) as show:
        show(0)

    assert log.getvalue() == ""
