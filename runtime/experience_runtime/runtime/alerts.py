"""The alerts of a runtime: looked after on a thread of their own, while it serves or delivers."""

import logging
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from experience_runtime.domain.errors import NotConfigured, UnknownIntegration
from experience_runtime.engine.alerting import LOOK, Alerting, Room, check_rule
from experience_runtime.plugins.http import Outbound
from experience_runtime.runtime import Runtime
from experience_runtime.runtime.looking import looking
from experience_runtime.runtime.standing import standing_of

_logger = logging.getLogger("experience_runtime.alerts")


def make_alerting(runtime: Runtime, http: Outbound) -> Alerting:
    """Make what looks after the rules; UnknownIntegration or InvalidPayload for one that cannot tell.

    Of a broken integration that is only logged, also of one that may be what a broken file defines.
    """
    rules, integrations = runtime.settings.alerts, runtime.integrations
    for rule in rules:
        try:
            check_rule(rule, integrations)
            integrations.settings(rule.integration)
        except (NotConfigured, UnknownIntegration) as error:
            if isinstance(error, UnknownIntegration) and integrations.broken(rule.integration) is None:
                raise
            _logger.error("the alert %s tells nobody: %s", rule.name, error.message)
    return Alerting(
        rules,
        store=runtime.store,
        clock=runtime.clock,
        integrations=integrations,
        http=http,
        redact=runtime.settings.redact,
        standing=lambda: standing_of(runtime),
        room=lambda: _room(runtime),
        public_url=runtime.settings.served.public_url,
    )


@contextmanager
def alerting(runtime: Runtime) -> Iterator[None]:
    """Look after the rules meanwhile, if there are any; raises as `make_alerting`."""
    if not runtime.settings.alerts:
        yield
        return
    http = Outbound(now=runtime.clock.now, allow_private=runtime.settings.allow_private)
    try:
        with looking(runtime, make_alerting(runtime, http).step, name="alerts", every=LOOK):
            yield
    finally:
        http.close()


def _room(runtime: Runtime) -> Room | None:
    if runtime.is_shared:
        return None
    used = shutil.disk_usage(Path(runtime.database_path).resolve().parent)
    return Room(free=used.free, whole=used.total)
