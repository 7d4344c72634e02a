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


def kubernetes() -> list[dict[str, Any]]:
    return [dict(each) for each in yaml.safe_load_all((DEPLOY / "kubernetes.yaml").read_text("utf-8"))]


def containers() -> Iterator[dict[str, Any]]:
    for each in kubernetes():
        if each["kind"] in ("Deployment", "Job"):
            yield from each["spec"]["template"]["spec"]["containers"]


def commands() -> Iterator[Sequence[str]]:
    """Every use of `experience`, without its first word."""
    for service in compose().values():
        if "command" in service:
            yield service["command"]
        test = service.get("healthcheck", {}).get("test", [])
        if test[1:2] == ["experience"]:
            yield test[2:]
    for container in containers():
        yield container["args"]
        if exec_ := container.get("livenessProbe", {}).get("exec"):
            yield exec_["command"][1:]
    yield re.findall(r"^ExecStart=\S+ (.*)$", (DEPLOY / "experience.service").read_text(), re.M)[0].split()
    for text in TEXTS:
        yield from (
            found.split() for found in re.findall(r"^#.*(?:run --rm web|-- experience) (.*)$", text, re.M)
        )


@pytest.mark.parametrize("words", list(commands()), ids=" ".join)
def test_every_command_is_one_there_is(words: Sequence[str]) -> None:
    command: click.Command = main
    context = click.Context(main)
    rest = list(words)
    while isinstance(command, click.Group):
        found = command.get_command(context, rest.pop(0))
        assert found is not None, words
        command = found

    command.make_context("experience", rest)


def test_nothing_runs_as_root_or_writes_to_its_image() -> None:
    ours = [each for name, each in compose().items() if name != "postgres"]
    assert len(ours) == 4
    for service in ours:
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
    for container in containers():
        context = container["securityContext"]
        assert (context["runAsNonRoot"], context["readOnlyRootFilesystem"]) == (True, True)
    assert re.search(r"^USER 10001$", (DEPLOY / "Dockerfile").read_text(), re.MULTILINE)


def test_the_paths_that_are_probed_are_served() -> None:
    from experience_runtime.web import health

    served = Path(health.__file__).read_text(encoding="utf-8")
    probed = re.findall(r"path: (/\w+)|8080(/\w+z)\b", "".join(TEXTS))
    assert probed
    for one, other in probed:
        assert f'"{one or other}"' in served


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


def test_one_of_each_stays_while_machines_are_emptied() -> None:
    budgets = {each["metadata"]["name"] for each in kubernetes() if each["kind"] == "PodDisruptionBudget"}
    deployments = {each["metadata"]["name"]: each for each in kubernetes() if each["kind"] == "Deployment"}

    assert budgets == set(deployments)
    assert {each["spec"]["replicas"] for each in deployments.values()} == {2}


def test_two_workers_deliver() -> None:
    deployments = {each["metadata"]["name"]: each for each in kubernetes() if each["kind"] == "Deployment"}

    assert compose()["worker"]["deploy"]["replicas"] == 2
    assert deployments["experience-worker"]["spec"]["replicas"] == 2
