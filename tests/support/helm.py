"""Helm and the schemas of Kubernetes: from packages that are downloaded once, and not installed."""

import importlib.util
import json
import os
import platform
import subprocess
import sys
import venv
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
import yaml  # type: ignore[import-untyped]

from tests.support.needs import lacking

TOOLS = Path(__file__).resolve().parents[2] / "deploy/helm/tools.txt"
LIBRARY = "helm_python/lib/libhelm_c.so"
SCHEMAS = "kubernetes_validate/kubernetes-json-schema/v1.37.0-local-strict/"

# In a process of its own: the library brings Go's runtime, with its threads and signal handlers.
ASK = """
import json, sys
wheel, chart, asked = sys.argv[1:]
sys.path.insert(0, wheel)
import helm_python
answers = []
for each in json.loads(asked):
    try:
        with helm_python.Chart.load(chart) as loaded:
            loaded.validate_schema(each["values"])
            answers.append(loaded.render(each["values"], name="shop", namespace="prod", **each["options"]))
    except helm_python.HelmError as refusal:
        answers.append({"refusal": str(refusal)})
json.dump({"lint": helm_python.lint(chart, strict=True), "answers": answers}, sys.stdout)
"""


class Helm:
    """Helm's own library, and what Kubernetes takes."""

    def __init__(self, folder: Path) -> None:
        if (platform.system(), platform.machine()) != ("Linux", "x86_64"):
            lacking("Helm's library is taken for Linux on x86-64 alone")
        _download(folder)
        (self._wheel,) = folder.glob("helm_python_sdk-*.whl")
        (schemas,) = folder.glob("kubernetes_validate-*.whl")
        with zipfile.ZipFile(self._wheel) as wheel:
            self._library = wheel.extract(LIBRARY, folder)
        self._schemas = zipfile.ZipFile(schemas)
        self._registry = jsonschema_rs.Registry(
            [("urn:k8s:_definitions.json", json.loads(self._schemas.read(SCHEMAS + "_definitions.json")))]
        )

    def close(self) -> None:
        self._schemas.close()

    def ask(
        self, chart: Path, *asked: Mapping[str, Any], options: Mapping[str, Any] | None = None
    ) -> tuple[list[dict[str, Any]], list[dict[str, str]]]:
        """What lint says, and for each set of values the rendered files, or {"refusal": …}."""
        questions = [{"values": values, "options": options or {}} for values in asked]
        done = subprocess.run(
            [sys.executable, "-c", ASK, str(self._wheel), str(chart), json.dumps(questions)],
            env={**os.environ, "HELM_C_LIB": self._library},
            capture_output=True,
            text=True,
            timeout=120,
            check=True,
        )
        answer = json.loads(done.stdout)
        return answer["lint"]["messages"], answer["answers"]

    def problems(self, manifest: Mapping[str, Any]) -> Sequence[str]:
        """What Kubernetes would refuse of it; KeyError for a kind that is not Kubernetes' own."""
        group, _, version = manifest["apiVersion"].rpartition("/")
        of_group = group.removesuffix(".k8s.io") + "-" if group else ""
        name = f"{SCHEMAS}{manifest['kind'].lower()}-{of_group}{version}.json"
        schema = {
            "$id": "urn:k8s:one",
            **json.loads(self._schemas.read(name).replace(b'"_def', b'"urn:k8s:_def')),
        }
        validator = jsonschema_rs.validator_for(schema, registry=self._registry)
        return [f"{error.instance_path}: {error.message}" for error in validator.iter_errors(manifest)]


def manifests(rendered: Mapping[str, str]) -> list[dict[str, Any]]:
    """The objects in the rendered files."""
    assert "refusal" not in rendered, rendered
    return [
        each
        for name, text in sorted(rendered.items())
        if name.endswith(".yaml")
        for each in yaml.safe_load_all(text)
        if each is not None
    ]


def _download(folder: Path) -> None:
    if "HELM_FOLDER" in os.environ:  # they are there already
        for each in Path(os.environ["HELM_FOLDER"]).glob("*.whl"):
            (folder / each.name).symlink_to(each.resolve())
        return
    if "REQUIRE_ALL" not in os.environ:
        pytest.skip("Helm's library is a download of 97 MB; REQUIRE_ALL asks for it, or HELM_FOLDER names it")
    python = sys.executable
    if importlib.util.find_spec("pip") is None:
        venv.create(folder / "pip", with_pip=True)
        python = str(folder / "pip/bin/python")
    words = [python, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
    options = ["--no-cache-dir", "--only-binary", ":all:", "--require-hashes", "--dest", str(folder)]
    done = subprocess.run(
        [*words, *options, "--requirement", str(TOOLS)],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
