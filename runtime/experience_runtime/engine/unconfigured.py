"""Unconfigured: what is said of an integration whose settings are missing, wherever it is scheduled."""

from experience_runtime.domain.errors import IntegrationBroken, NotConfigured
from experience_runtime.engine.ports import Integrations


def unconfigured_warnings(integrations: Integrations, name: str) -> tuple[str, ...]:
    """The warning that executions of this integration will fail; none when it is configured."""
    try:
        integrations.settings(name)
    except IntegrationBroken as broken:
        return (f"{broken.message}; its executions wait until it is repaired",)
    except NotConfigured:
        return (
            f"{name} is not configured yet, so its executions will fail with not_configured; "
            f"`experience integrations check {name}` says what is missing",
        )
    return ()
