"""Setting problems: what is missing or wrong in the settings of an integration, and how to set it."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ValidationError

from experience_runtime.domain.state_changes import STATE_CHANGES
from experience_runtime.plugins.setting_states import unknown_settings
from experience_runtime.settings.redaction import (
    SECRET_LENGTH,
    secret_texts,
    setting_texts,
    without_secrets,
)
from experience_runtime.settings.references import Missing
from experience_runtime.untrusted import Redact, foreign, raised_at


@dataclass(frozen=True, slots=True)
class SettingProblem:
    """`setting` is its path, "" where it is about all of them together. `text` shows no value."""

    setting: str
    text: str


def setting_problems(
    model: type[BaseModel], table: Mapping[str, Any], missing: Mapping[str, Missing], redact: Redact
) -> Iterator[SettingProblem]:
    """What is missing or wrong; never a value."""
    for setting, absent in missing.items():
        yield SettingProblem(setting, f"refers to {absent.what}; {absent.fix}")
    for setting, text in unknown_settings(table, model):
        yield SettingProblem(setting, text)
    with foreign() as raised:
        model.model_validate(table)
    if isinstance(raised.error, ValidationError):
        secrets = frozenset(secret_texts("", list(setting_texts(dict(table), str))))
        for error in raised.error.errors(include_url=False, include_context=False):
            setting = path_text(error["loc"])
            if setting in missing:
                continue
            if error["type"] == "missing":
                yield SettingProblem(setting, "is missing")
            else:
                told = without_secrets(_without_value(error), secrets)
                yield SettingProblem(setting, f"is wrong: {redact(told)}")
    elif raised.error is not None:
        what = f"{type(raised.error).__name__}{raised_at(raised.error, model)}"
        yield SettingProblem("", f"its settings cannot be read: {what}; repair the integration")


def in_words(name: str, problems: Sequence[SettingProblem], *, is_stored: bool) -> str:
    """All problems in one line, with how to set what they are about; `is_stored`: in the database."""
    if is_stored:
        told = (f"{each.setting} {each.text}" if _needs_value(each) else each.text for each in problems)
        return f"{'; '.join(told)}; set it on its page, or with `experience integrations set {name}`"
    return "; ".join(_with_fix(name, each) for each in problems)


def _with_fix(name: str, problem: SettingProblem) -> str:
    setting, text = problem.setting, problem.text
    if _needs_value(problem):
        return f"{setting or 'the table'} {text}; {_how_to_set(name, setting or 'the table')}"
    return f"{setting} {text}" if text.startswith("refers to") else text


def _needs_value(problem: SettingProblem) -> bool:
    return problem.text.startswith(("is missing", "is wrong"))


def _how_to_set(name: str, setting: str) -> str:
    if name == STATE_CHANGES:
        _, webhook, key, *_ = [*setting.split("."), "", ""]
        return f"see [webhooks.{webhook}] in experience.toml: {key} = …"
    written = f'write {setting} = "env:NAME" under [integrations.{name}] in experience.toml'
    if setting != setting.lower():
        return written  # a variable sets names in small letters
    variable = re.sub(r"[^A-Z0-9]+", "_", name.upper())
    nested = re.sub(r"[^A-Z0-9_]+", "__", setting.upper())
    return f"{written}, or set EXPERIENCE_INTEGRATION__{variable}__{nested}"


def _without_value(error: Mapping[str, Any]) -> str:
    text, given = expected(error), error.get("input")
    if isinstance(given, str) and len(given) >= SECRET_LENGTH:
        text = text.replace(given, "[redacted]")
    return text


def expected(error: Mapping[str, Any]) -> str:
    """What pydantic expected, in the middle of a sentence."""
    text: str = error["msg"]
    text = text.removeprefix("Value error, ").removeprefix("Assertion failed, ")
    return text[:1].lower() + text[1:]


def path_text(parts: Sequence[str | int]) -> str:
    """A path as people write it: `headers.x`, `tokens[0]`."""
    path = ""
    for part in parts:
        path += f"[{part}]" if isinstance(part, int) else f".{part}" if path else part
    return path
