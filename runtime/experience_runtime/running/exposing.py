"""Exposing: a visitor keeps the variation that they were shown first, and that they were shown it is kept."""

import logging
from datetime import datetime

from experience_runtime.domain.errors import ExperienceError
from experience_runtime.domain.traffic import Exposure
from experience_runtime.engine.exposures import Exposures
from experience_runtime.running.guest import Script
from experience_runtime.running.report import Report

_logger = logging.getLogger(__name__)


def assigned(script: Script, visitor: str | None, exposures: Exposures) -> tuple[Script, bool]:
    """The variation of a visitor, the one they were shown before while it has a share; and whether it was."""
    experience = script.experience
    if experience.traffic is None:
        return script, True
    kept = None if visitor is None else exposures.variation(experience.name, visitor)
    chosen = script.for_visitor(visitor, kept=kept)
    return chosen, kept is not None and kept == chosen.experience.assigned


def note_exposure(script: Script, report: Report, exposures: Exposures, *, at: datetime) -> None:
    """Keep that a run showed a visitor what traffic chose; `at` is when it began.

    Where triggers say no, nobody is shown anything, a control neither. A run that failed counts: it may be
    the variation that failed it. What the run did has happened: that this cannot be kept fails nobody.
    """
    chosen, visitor = script.experience.assigned, report.visitor.id
    if chosen is None or visitor is None or report.outcome not in ("ran", "failed"):
        return
    exposure = Exposure(
        experience=report.experience, visitor=visitor, variation=chosen, at=at, release=report.release
    )
    try:
        exposures.note(exposure)
    except ExperienceError as error:
        _logger.error("an exposure of %s could not be kept: %s", report.experience, error.message)
