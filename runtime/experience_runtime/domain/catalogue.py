"""The catalogue: what is known of an integration that may be shown; never a value of its settings."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Description:
    """One line of `integrations list`. `source`: the file or entry point; `why`: what is missing or broken.

    `broken`: its code cannot be loaded, and what is scheduled for it waits.
    """

    name: str
    source: str
    configured: bool
    why: str | None
    broken: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingState:
    """Whether one setting is there. `name` is what one writes in the settings.

    `missing_variable`: the environment variable that it refers to, and that is not set; `missing_file`: the
    file that it refers to, and that cannot be used. `known` is false for a setting that is given and that the
    integration does not have.
    """

    name: str
    required: bool
    is_set: bool
    missing_variable: str | None
    missing_file: str | None = None
    known: bool = True
