"""Settings of integrations, changed by hand: checked by the integration, sealed, and kept in the database."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from experience_runtime.domain.errors import Conflict, IntegrationBroken, InvalidParameter
from experience_runtime.domain.state_changes import STATE_CHANGES
from experience_runtime.engine.kept_settings import Sealed
from experience_runtime.plugins.setting_fields import read_typed
from experience_runtime.plugins.setting_problems import SettingProblem
from experience_runtime.runtime import Runtime
from experience_runtime.settings.stored import require_no_reference


class WrongSettings(InvalidParameter):
    """Settings that the integration refuses, each with its field; nothing was kept."""

    def __init__(self, name: str, problems: Sequence[SettingProblem]) -> None:
        told = (f"{each.setting} {each.text}" if _begins(each) else each.text for each in problems)
        super().__init__(f"the settings of {name} were not changed: {'; '.join(told)}")
        self.problems = problems


def where_settings_stand(runtime: Runtime, name: str) -> str:
    """Why the settings of an integration cannot be typed, in words; "" where they can. UnknownIntegration."""
    given, config = runtime.integrations.given(name), runtime.settings.config or "experience.toml"
    if name == STATE_CHANGES:
        return f"they are the tables [webhooks.NAME] of {config}, read at the start"
    if given.is_stored:
        return ""
    if runtime.settings.served.settings_in_database:
        return (
            f"they stand in {config} under [integrations.{name}], or in the environment, and are read at the "
            "start; once nothing of them stands there, they can be typed here"
        )
    return f"they stand in {config} under [integrations.{name}] or in the environment, read at the start"


def change_settings(
    runtime: Runtime,
    name: str,
    given: Mapping[str, Any],
    *,
    removed: Collection[str] = (),
    expected: int | None = None,
) -> int:
    """Keep settings of an integration beside those that it has; return how often they were changed.

    Every process of the database takes them up within a second. `given` are JSON values. `expected` is the
    version that they were made from. Raises UnknownIntegration, Conflict where they stand elsewhere or were
    changed meanwhile, and WrongSettings.
    """
    if runtime.settings.served.settings_in_database:
        runtime.kept_settings.forget()
    now = runtime.integrations.given(name)
    if why := where_settings_stand(runtime, name):
        if not runtime.settings.served.settings_in_database:
            why += '; to type them, write settings = "database" under [serve] there'
        raise Conflict(f"the settings of {name} were not changed: {why}")
    keys = runtime.kept_settings.keys
    if (broken := runtime.integrations.broken(name)) is not None:
        raise IntegrationBroken(f"the settings of {name} were not changed: it is {broken}")
    if not given and not removed:
        raise InvalidParameter(f"no setting of {name} was given; write one as NAME=VALUE")
    for setting, value in given.items():
        require_no_reference(setting, value)
    kept = {key: value for key, value in {**now.table, **given}.items() if key not in removed}
    if kept and (problems := runtime.integrations.problems_of(name, kept)):
        raise WrongSettings(name, problems)
    version = runtime.store.integration_settings.put(
        Sealed(
            integration=name,
            version=now.version if expected is None else expected,
            changed_at=runtime.clock.now(),
            text=keys.seal(name, kept),
        ),
        action="settings",
        before={"set": sorted(now.table)},
        after={"set": sorted(kept), "changed": sorted({*given, *removed})},
    )
    runtime.kept_settings.forget()
    return version


def typed_settings(runtime: Runtime, name: str, typed: Mapping[str, str]) -> dict[str, Any]:
    """What people typed, read as each setting of the integration is. Raises WrongSettings."""
    fields = {field.name: field for field in runtime.integrations.setting_fields(name)}
    read: dict[str, Any] = {}
    wrong: list[SettingProblem] = []
    for setting, text in typed.items():
        try:
            read[setting] = read_typed(fields[setting], text) if setting in fields else text
        except InvalidParameter as problem:
            wrong.append(SettingProblem(setting, problem.message))
    if wrong:
        raise WrongSettings(name, wrong)
    return read


def reseal(runtime: Runtime) -> list[str]:
    """Seal every integration's settings with the first key; return whose. InvalidParameter: none fits."""
    keys, sealed = runtime.kept_settings.keys, runtime.store.integration_settings
    found = list(sealed.all())
    for each in found:
        keys.opened(each.integration, each.text)
    for each in found:
        again = Sealed(
            integration=each.integration,
            version=each.version,
            changed_at=runtime.clock.now(),
            text=keys.resealed(each.text),
        )
        sealed.put(again, action="settings", before={}, after={"resealed": True})
    return [each.integration for each in found]


def _begins(problem: SettingProblem) -> bool:
    return problem.text.startswith(("is missing", "is wrong")) and bool(problem.setting)
