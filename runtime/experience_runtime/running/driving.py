"""Driving: a run taken to its end in real time."""

from experience_runtime.clocks import monotonic
from experience_runtime.domain.errors import LimitWall
from experience_runtime.engine.ports import Clock
from experience_runtime.running.problems import wall_text
from experience_runtime.running.report import Report
from experience_runtime.running.run import ExperienceRun


def drive(run: ExperienceRun, clock: Clock) -> Report:
    """Start a run, wake it for its timers and answers, and end it when its real seconds are over."""
    wall_seconds = run.real_seconds_left
    began = monotonic()
    run.start()
    while not run.is_over:
        run.real_seconds_left = wall_seconds - (monotonic() - began)
        if run.real_seconds_left <= 0:
            run.end_by(LimitWall.code, wall_text(wall_seconds, len(run.report.calls)))
            break
        run.woken.clear()
        if not run.has_answers:
            clock.wait(run.wake_at, run.woken, at_most=run.real_seconds_left)
        run.advance()
    return run.finish()
