"""The rules and the dashboard of `deploy/`: every metric and label in them is one of the reference."""

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]

from tests.docs.metrics import reference
from tests.support.needs import lacking

DEPLOY = Path(__file__).parents[2] / "deploy"
SUFFIXES = ("_bucket", "_count", "_sum")
OF_PROMETHEUS = {"le", "instance", "job"}
FUNCTIONS = {
    "sum", "max", "rate", "increase", "absent", "histogram_quantile", "by",
}  # fmt: skip


def rules() -> list[dict[str, Any]]:
    (group,) = yaml.safe_load((DEPLOY / "alerts.yaml").read_text(encoding="utf-8"))["groups"]
    return list(group["rules"])


def panels() -> list[dict[str, Any]]:
    return list(json.loads((DEPLOY / "grafana.json").read_text(encoding="utf-8"))["panels"])


def queries() -> dict[str, tuple[str, str]]:
    """Each expression with the texts that speak of its labels, by what it is for."""
    of_rules = {
        each["alert"]: (each["expr"], json.dumps(each["annotations"], ensure_ascii=False)) for each in rules()
    }
    of_panels = {
        f"{panel['title']} {target['refId']}": (target["expr"], target["legendFormat"])
        for panel in panels()
        for target in panel["targets"]
    }
    return of_rules | of_panels


@pytest.mark.parametrize("name", list(queries()))
def test_every_metric_and_label_is_one_of_the_reference(name: str) -> None:
    expression, told = queries()[name]
    bare = re.sub(r'"[^"]*"', '""', expression)
    used = re.findall(r"experience_\w+", bare)
    known = reference()
    metrics = {
        each if each in known else next(each.removesuffix(end) for end in SUFFIXES if each.endswith(end))
        for each in used
    }
    assert metrics
    assert metrics <= set(known)
    labels = set().union(*(known[metric] for metric in metrics)) | OF_PROMETHEUS
    grouped = {label for found in re.findall(r"by \(([^)]*)\)", bare) for label in re.split(r",\s*", found)}
    matched = set(re.findall(r"(\w+)\s*(?:=~|!~|!=|=)", bare))
    assert grouped | matched <= labels
    words = set(re.findall(r"[a-z_]{2,}", re.sub(r"\[\w+\]", "", bare)))
    assert words - set(used) - labels <= FUNCTIONS
    spoken = set(re.findall(r"\$labels\.(\w+)|\{\{(\w+)\}\}", told))
    assert {one or other for one, other in spoken} <= grouped


def test_every_metric_that_says_that_something_is_wrong_is_looked_at() -> None:
    """What is only told of for completeness is named here."""
    quiet = {
        "experience_backlog",
        "experience_executions",
        "experience_held_by_pace",
        "experience_pruned_total",
        "experience_sandbox_cpu_seconds_total",
    }
    used = re.findall(r"experience_\w+", "".join(expression for expression, _ in queries().values()))
    named = {re.sub(r"_(bucket|count|sum)$", "", each) for each in used}

    assert set(reference()) - named == quiet


def test_every_rule_says_how_urgent_it_is_and_what_to_do() -> None:
    for each in rules():
        assert set(each) <= {"alert", "expr", "for", "labels", "annotations"}
        assert set(each["annotations"]) == {"summary", "description"}
        assert each["labels"]["severity"] in ("page", "ticket")


def test_prometheus_reads_the_rules() -> None:
    promtool = shutil.which("promtool")
    if promtool is None:
        lacking("promtool is not on PATH; it comes with Prometheus")

    subprocess.run([promtool, "check", "rules", str(DEPLOY / "alerts.yaml")], check=True)
