"""The reference is complete: what the code has, has its heading, and no heading is of what is not there.

A heading that is all code, such as `delay`, stands for one name; each page has those of one part of the code.
"""

import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import get_args

import pytest
from experience_runtime import integration as sdk
from experience_runtime.domain import app_events, clients, errors, options, recurrences, retention, schedules
from experience_runtime.plugins.registry import Registry
from experience_runtime.running.guest import Limits
from experience_runtime.runtime import Runtime
from experience_runtime.settings import alerts, delivery, environment, load, serving, webhooks
from experience_runtime.settings.load import load_settings
from experience_runtime.simulation.story import Story
from experience_runtime.web.server import make_web
from pydantic import BaseModel

from tests.conftest import Lab

from .command_tables import NAMES, commands, refreshed
from .command_tables import PAGES as TABLED
from .documents import blocks
from .headings import headings
from .stage import ROOT

REFERENCE = ROOT / "docs" / "reference"


def _names(page: str) -> list[str]:
    """The names that have a heading of their own on a page."""
    return [each.name for each in headings(REFERENCE / f"{page}.md") if each.name is not None]


def _options() -> set[str]:
    """The three calls, and every option of them: the lists of `domain.options`."""
    lists = {name: held for name, held in vars(options).items() if name.endswith("_OPTIONS")}
    window = {f"window.{name}" for name in lists.pop("WINDOW_OPTIONS")}
    return {"execute", "schedule", "cancel", "payload", *window}.union(*lists.values())


def _codes() -> set[str]:
    def below(kind: type[errors.ExperienceError]) -> Iterable[str]:
        if kind.__module__.startswith("experience_runtime."):  # other tests have kinds of their own
            yield kind.code
        for inner in kind.__subclasses__():
            yield from below(inner)

    return set(below(errors.ExperienceError))


def _settings() -> set[str]:
    tables = {"outbound", "serve", "csml", "retention"}
    built_in = {f"integrations.{each.name}" for each in Registry(load_settings(environ={})).describe()}
    return (
        (set(load.TOP_SETTINGS) - tables)
        | {f"outbound.{name}" for name in load.OUTBOUND_SETTINGS}
        | {f"delivery.NAME.{name}" for name in delivery.POLICY_SETTINGS}
        | {f"serve.{name}" for name in serving.SERVE_SETTINGS}
        | {f"retention.{kind}" for kind in retention.KINDS}
        | {f"alerts.NAME.{name}" for name in alerts.ALERT_SETTINGS}
        | {f"webhooks.NAME.{name}" for name in webhooks.WEBHOOK_SETTINGS}
        | {"csml.client", "integrations.NAME.site"}
        | built_in
        | {environment.CONFIG, environment.SETTINGS_KEY, *environment.OLDER_NAMES, *environment.NAMED}
    )


def _models(kind: object) -> Iterable[type[BaseModel]]:
    """The models within a field's type: those of a list, of a mapping's values, or of several."""
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        yield kind
    for inner in get_args(kind):
        yield from _models(inner)


def _story() -> set[str]:
    """Every field of a story, as `steps.events.type`."""

    def fields(model: type[BaseModel], before: str) -> Iterable[str]:
        for name, field in model.model_fields.items():
            words = f"{before}{field.alias or name}"
            yield words
            for inner in _models(field.annotation):
                yield from fields(inner, f"{words}.")

    return set(fields(Story, ""))


def _recurring() -> set[str]:
    return {"integration", "payload", *recurrences.KINDS, *schedules.SCHEDULE_OPTIONS}


PAGES: dict[str, Callable[[], Iterable[str]]] = {
    "schedule-options": _options,
    "codes": _codes,
    "settings settings-environment retention alerts webhooks": _settings,
    "stories": _story,
    "recurring-schedules": _recurring,
    "scheduled-events": lambda: app_events._KNOWN,
    " ".join(NAMES): commands,
    "integrations": lambda: sdk.__all__,
}


EXAMPLES_EACH = ["schedule-options", "options", "recurring-schedules", "scheduled-events", "http"]
NO_EXAMPLE = {
    "integration_timeout",
    "database_unavailable",
    "database_refused",
    "internal_error",
}  # codes that no reader can make happen in a moment


@pytest.mark.parametrize("page", PAGES)
def test_a_page_has_a_heading_for_each_name_and_for_nothing_else(page: str) -> None:
    found = [name for one in page.split() for name in _names(one)]

    assert sorted(found) == sorted(set(found)), "one heading for each"
    assert set(found) == set(PAGES[page]())


def test_every_member_of_options_has_its_heading(lab: Lab) -> None:
    (members,) = lab.says("options.log.info(Object.keys(options).join(' '))")

    assert sorted(_names("options")) == sorted(members.split())


@pytest.mark.parametrize("member", ["uv", "cookies", "state", "meta", "react"])
def test_every_part_of_a_member_of_options_stands_in_its_section(lab: Lab, member: str) -> None:
    (parts,) = lab.says(f"options.log.info(Object.keys(options.{member}).join(' '))")

    section = _sections("options")[member]
    assert [part for part in parts.split() if not re.search(rf"\b{part}\b", section)] == []


def test_every_operation_that_other_programs_call_has_its_heading(tmp_path: Path) -> None:
    with Runtime(load_settings(database=f"sqlite:///{tmp_path}/a.db", environ={})) as runtime:
        routes = make_web(runtime, is_open=True).state.routes
    web = "experience_runtime.web."
    spoken = tuple(
        web + each for each in ("wire.", "health", "api.integration_calls", "api.batch", "api.stream")
    )

    assert set(_names("http")) == {
        f"{method} {route.path}"
        for route in routes
        if route.endpoint.__module__.startswith(spoken)
        for method in route.methods - {"HEAD"}
        if "{site_key}" not in route.path  # the same with the key in the address
    }


@pytest.mark.parametrize("page", [*EXAMPLES_EACH, "codes"])
def test_every_name_of_a_page_has_an_example(page: str) -> None:
    without = {name for name, section in _sections(page).items() if "\n```" not in section}

    assert without == (NO_EXAMPLE if page == "codes" else set())


@pytest.mark.parametrize("kind", [sdk.Integration, sdk.Context, sdk.Answer, sdk.Http, sdk.Clock])
def test_every_member_of_a_class_of_the_sdk_stands_in_its_section(kind: type) -> None:
    section = _sections("integrations")[kind.__name__]
    members = {name for name in (*vars(kind), *kind.__annotations__) if not name.startswith("_")}

    assert [name for name in sorted(members) if not re.search(rf"\b{name}\b", section)] == []


def test_the_settings_of_every_built_in_integration_stand_in_its_section() -> None:
    sections = _sections("settings")

    registry = Registry(load_settings(environ={}))
    for name in registry.names():
        model = registry.get(name).settings
        written = re.findall(r"^\| `(\w+)` ", sections[f"integrations.{name}"], re.MULTILINE)
        assert set(written) == (set() if model is None else set(model.model_fields)), name


def test_the_whole_settings_and_the_whole_story_of_the_examples_name_everything() -> None:
    toml, story = _texts("settings", "toml"), _texts("stories", "json")

    last = {name.rpartition(".")[2] for name in _settings() if name[:10] != "EXPERIENCE"}
    fields = {name.rpartition(".")[2] for name in _story()}
    unnamed = {
        "per_minute",
        "event-webhook",
        "broadcast",
        "discord",
        "teams",
        "twilio-sms",
        "segment",
        "email",
    }
    assert {name for name in last if name not in toml} == unnamed
    assert {name for name in fields if f'"{name}"' not in story} == set()


@pytest.mark.parametrize("page", TABLED, ids=NAMES)
def test_the_tables_of_the_command_line_are_what_its_help_says(page: Path) -> None:
    text = page.read_text(encoding="utf-8")

    assert text == refreshed(text), "run: .venv/bin/python -m tests.docs.refresh_readme"


@pytest.mark.parametrize("page", NAMES)
def test_every_command_of_the_reference_has_an_example(page: str) -> None:
    assert [name for name, section in _sections(page).items() if f"{name}" not in _shell(section)] == []


def test_the_limits_of_the_reference_are_the_runtimes() -> None:
    limits = Limits()
    table = (REFERENCE / "limits.md").read_text(encoding="utf-8")

    for row in (
        f"| CPU a turn | {limits.cpu_turn_seconds * 1000:g} ms |",
        f"| CPU a run | {limits.cpu_run_seconds:g} s |",
        f"| wall time a run | {limits.wall_seconds:g} s |",
        f"| memory a run | {limits.memory_bytes // 2**20} MiB |",
        f"| calls that wait for an answer | {limits.pending_calls:,} |",
        f"| log a run | {limits.log_bytes // 2**20} MiB |",
        f"| events a run | {limits.events:,} |",
        f"| redirects a run | {limits.redirects:,} |",
    ):
        assert row in table


def test_the_client_of_the_reference_has_every_field() -> None:
    section = _sections("settings")["csml.client"]

    assert [name for name in clients.FIELDS if f"`{name}`" not in section] == []


def _sections(page: str) -> dict[str, str]:
    """The text below each heading that is a name, up to the next heading."""
    path = REFERENCE / f"{page}.md"
    lines = path.read_text(encoding="utf-8").splitlines()
    found = headings(path)
    ends = [*(each.line - 1 for each in found[1:]), len(lines)]
    return {
        each.name: "\n".join(["", *lines[each.line : end]])
        for each, end in zip(found, ends, strict=True)
        if each.name is not None
    }


def _shell(section: str) -> str:
    return section.partition("```sh")[2]


def _texts(page: str, kind: str) -> str:
    text = (REFERENCE / f"{page}.md").read_text(encoding="utf-8")
    return "\n".join(block.text for block in blocks(text) if block.kind == kind)
