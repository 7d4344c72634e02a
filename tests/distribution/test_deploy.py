"""The files of `deploy/`: they parse, and every command in them is one there is."""

import re
import tomllib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import click
import pytest
import yaml  # type: ignore[import-untyped]
from experience_runtime.cli import main

DEPLOY = Path(__file__).parents[2] / "deploy"
TEXTS = [file.read_text(encoding="utf-8") for file in sorted(DEPLOY.iterdir()) if file.is_file()]


def compose() -> dict[str, Any]:
    return dict(yaml.safe_load((DEPLOY / "compose.yaml").read_text(encoding="utf-8"))["services"])


def commands() -> Iterator[Sequence[str]]:
    """Every use of `experience`, without its first word."""
    for service in compose().values():
        if "command" in service:
            yield service["command"]
        test = service.get("healthcheck", {}).get("test", [])
        if test[1:2] == ["experience"]:
            yield test[2:]
    yield re.findall(r"^ExecStart=\S+ (.*)$", (DEPLOY / "experience.service").read_text(), re.M)[0].split()
    for text in TEXTS:
        yield from (
            found.split() for found in re.findall(r"^#.*(?:run --rm web|-- experience) (.*)$", text, re.M)
        )


def parse(words: Sequence[str]) -> None:
    """Read a use of `experience` as it would; raises what it would refuse."""
    command: click.Command = main
    context = click.Context(main)
    rest = list(words)
    while isinstance(command, click.Group):
        found = command.get_command(context, rest.pop(0))
        assert found is not None, words
        command = found

    command.make_context("experience", rest)


@pytest.mark.parametrize("words", list(commands()), ids=" ".join)
def test_every_command_is_one_there_is(words: Sequence[str]) -> None:
    parse(words)


def test_nothing_runs_as_root_or_writes_to_its_image() -> None:
    ours = [each for name, each in compose().items() if name != "postgres"]
    assert len(ours) == 4
    for service in ours:
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
    assert re.search(r"^USER 10001$", (DEPLOY / "Dockerfile").read_text(), re.MULTILINE)


def paths_served() -> set[str]:
    """The paths of the routes that say how it stands."""
    from experience_runtime.web import health

    return set(re.findall(r'"(/\w+)"', Path(health.__file__).read_text(encoding="utf-8")))


def test_the_paths_that_are_probed_are_served() -> None:
    probed = set(re.findall(r"8080(/\w+z)\b", "".join(TEXTS)))

    assert probed
    assert probed <= paths_served()


def test_the_image_has_each_package_that_the_runtime_needs_at_its_locked_version() -> None:
    root = DEPLOY.parent
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    needed = [*project["dependencies"], *project["optional-dependencies"]["postgres"]]
    of_image, locked = (_versions(folder / "requirements.lock") for folder in (DEPLOY, root))

    names = {re.split(r"[^\w.-]", each, maxsplit=1)[0].lower() for each in needed}
    assert len(names) > 10
    assert names - set(of_image) == set()
    assert of_image.items() <= locked.items()


def _versions(lock: Path) -> dict[str, str]:
    return dict(re.findall(r"^([\w.-]+)==(\S+)", lock.read_text(encoding="utf-8"), re.M))


def test_what_is_mounted_is_there() -> None:
    mounted = [each for service in compose().values() for each in service.get("volumes", [])]
    from_here = {each.partition(":")[0] for each in mounted if each.startswith(".")}

    assert from_here == {"./experience.toml", "../sample_experiences", "./integrations"}
    assert [each for each in from_here if not (DEPLOY / each).exists()] == []


def test_two_workers_deliver() -> None:
    assert compose()["worker"]["deploy"]["replicas"] == 2
