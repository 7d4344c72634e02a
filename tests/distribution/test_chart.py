"""The chart of `deploy/`: Helm renders it, Kubernetes would take it, and its parts fit each other."""

import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]
from experience_runtime import __version__

from tests.support.helm import Helm, manifests

from .test_deploy import parse, paths_served

CHART = Path(__file__).parents[2] / "deploy/helm/experience-runtime"
EVERYTHING: dict[str, Any] = {
    "image": {"repository": "registry.example/experience", "tag": "7", "pullPolicy": "Always"},
    "imagePullSecrets": [{"name": "registry"}],
    "database": {"secretName": "mine", "secretKey": "url"},
    "settings": '[serve]\npublic_url = "https://runtime.example"\n',
    "env": [{"name": "SLACK", "valueFrom": {"secretKeyRef": {"name": "mine", "key": "slack"}}}],
    "envFrom": [{"secretRef": {"name": "more"}}],
    "volumes": [{"name": "experiences", "persistentVolumeClaim": {"claimName": "experiences"}}],
    "volumeMounts": [{"name": "experiences", "mountPath": "/experience/experiences", "readOnly": True}],
    "web": {"replicas": 3, "port": 9000, "args": ["--log-format", "json"], "nodeSelector": {"disk": "ssd"}},
    "worker": {
        "replicas": 5,
        "concurrency": 8,
        "args": ["--only", "webhook"],
        "tolerations": [{"key": "spot", "operator": "Exists"}],
        "affinity": {"podAntiAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": []}},
    },
    "serviceAccount": {"name": "runs", "annotations": {"a": "b"}},
    "service": {"type": "NodePort", "port": 8080, "annotations": {"a": "b"}},
    "ingress": {"enabled": True, "className": "nginx", "host": "x.example", "tlsSecretName": "tls"},
    "networkPolicy": {
        "webFrom": [{"namespaceSelector": {"matchLabels": {"name": "ingress"}}}],
        "egress": [{"ports": [{"port": 5432}]}],
    },
    "serviceMonitor": {"enabled": True, "labels": {"release": "p"}, "webTokenSecret": {"name": "numbers"}},
}
LITTLE: dict[str, Any] = {
    "token": {"create": False},
    "serviceAccount": {"create": False},
    "podDisruptionBudget": {"enabled": False},
    "networkPolicy": {"enabled": False},
    "settings": "",
    "web": {"trustedProxies": ""},
}
REFUSED: dict[str, dict[str, Any]] = {
    "replica": {"web": {"replica": 3}},
    "concurrency": {"worker": {"concurrency": 0}},
    "port": {"web": {"port": "http"}},
    "monitor": {"monitor": {"enabled": True}},
}


class Answered:
    """What Helm says of the chart: its lint, each rendering, and each refusal."""

    def __init__(self, helm: Helm) -> None:
        self.helm = helm
        self.lint, (default, everything, little, *refused) = helm.ask(
            CHART, {}, EVERYTHING, LITTLE, *REFUSED.values()
        )
        self.rendered = {
            "default": manifests(default),
            "everything": manifests(everything),
            "little": manifests(little),
        }
        self.refusals = dict(zip(REFUSED, (each.get("refusal", "") for each in refused), strict=True))
        self.notes = default["experience-runtime/templates/NOTES.txt"]


@pytest.fixture(scope="module")
def answered(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Answered]:
    helm = Helm(tmp_path_factory.mktemp("helm"))
    yield Answered(helm)
    helm.close()


def of(made: list[dict[str, Any]], kind: str) -> dict[str, dict[str, Any]]:
    """The objects of a kind, by what their names end with."""
    found = [each for each in made if each["kind"] == kind]
    return {each["metadata"]["name"].removeprefix("shop-experience-runtime"): each for each in found}


def kinds(made: list[dict[str, Any]]) -> set[str]:
    return {each["kind"] for each in made}


def pods(made: list[dict[str, Any]]) -> Iterator[tuple[Mapping[str, str], dict[str, Any]]]:
    """The labels and the spec of each pod."""
    for each in made:
        if each["kind"] in ("Deployment", "Job"):
            template = each["spec"]["template"]
            yield template["metadata"]["labels"], template["spec"]


def test_helm_has_nothing_to_say_against_it_and_it_is_of_this_version(answered: Answered) -> None:
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text(encoding="utf-8"))

    assert [each["error"] for each in answered.lint] == ["icon is recommended"]
    assert chart["appVersion"] == __version__


def test_kubernetes_would_take_each_object(answered: Answered) -> None:
    of_others = {"ServiceMonitor", "PodMonitor"}
    problems = {
        (values, each["kind"], each["metadata"]["name"]): found
        for values, made in answered.rendered.items()
        for each in made
        if each["kind"] not in of_others and (found := answered.helm.problems(each))
    }

    assert problems == {}
    (broken,) = of(answered.rendered["default"], "Service").values()
    broken = {**broken, "spec": {**broken["spec"], "port": [{"port": "http"}]}}
    assert answered.helm.problems(broken) != []


def test_two_webs_and_two_workers_stand_by_themselves(answered: Answered) -> None:
    made = answered.rendered["default"]

    assert {name: each["spec"]["replicas"] for name, each in of(made, "Deployment").items()} == {
        "-web": 2,
        "-worker": 2,
    }
    assert sorted(kinds(made)) == [
        *("ConfigMap", "Deployment", "Job", "NetworkPolicy", "PodDisruptionBudget", "Service"),
        "ServiceAccount",
    ]
    assert set(of(made, "Job")) == {"-migrate-1", "-token-1"}
    assert "job/shop-experience-runtime-token-1" in answered.notes
    assert {each["kind"] for each in answered.rendered["little"]} == {
        "ConfigMap",
        "Deployment",
        "Job",
        "Service",
    }
    assert {"Ingress", "ServiceMonitor", "PodMonitor"} < {
        each["kind"] for each in answered.rendered["everything"]
    }


def test_every_command_is_one_there_is_and_runs_as_nobody(answered: Answered) -> None:
    for made in answered.rendered.values():
        for _, spec in pods(made):
            (container,) = spec["containers"]
            parse(container["args"])
            probes = [container[each] for each in ("livenessProbe", "readinessProbe") if each in container]
            for probe in probes:
                if "exec" in probe:
                    parse(probe["exec"]["command"][1:])
                else:
                    assert probe["httpGet"]["path"] in paths_served()
            context = container["securityContext"]
            assert (context["runAsNonRoot"], context["runAsUser"]) == (True, 10001)
            assert (context["readOnlyRootFilesystem"], context["capabilities"]) == (True, {"drop": ["ALL"]})
            assert spec["automountServiceAccountToken"] is False
            assert spec["securityContext"]["fsGroup"] == context["runAsUser"]  # reads secrets of mode 0440
            names = [each["name"] for each in container["env"]]
            assert names.count("EXPERIENCE_DATABASE") == 1


def test_what_is_named_is_there(answered: Answered) -> None:
    """Selectors choose the pods of one deployment, ports and volumes are those of its containers."""
    for made in answered.rendered.values():
        labels = [each for each, _ in pods(made)]

        def chosen(selector: Mapping[str, str], labels: list[Mapping[str, str]] = labels) -> set[str]:
            return {
                each["app.kubernetes.io/component"] for each in labels if selector.items() <= each.items()
            }

        ports = {
            about["app.kubernetes.io/component"]: {
                port["name"] for each in spec["containers"] for port in each.get("ports", [])
            }
            for about, spec in pods(made)
        }
        for name, each in of(made, "Deployment").items():
            assert chosen(each["spec"]["selector"]["matchLabels"]) == {name.removeprefix("-")}
        for name, each in of(made, "PodDisruptionBudget").items():
            assert chosen(each["spec"]["selector"]["matchLabels"]) == {name.removeprefix("-")}
        for name, each in of(made, "NetworkPolicy").items():
            assert chosen(each["spec"]["podSelector"]["matchLabels"]) == {name.removeprefix("-")}
            assert each["spec"]["ingress"][0]["ports"][0]["port"] in ports[name.removeprefix("-")]
        (service,) = of(made, "Service").values()
        assert chosen(service["spec"]["selector"]) == {"web"}
        assert service["spec"]["ports"][0]["targetPort"] in ports["web"]
        for each in of(made, "ServiceMonitor").values():
            assert each["spec"]["selector"]["matchLabels"].items() <= service["metadata"]["labels"].items()
            assert each["spec"]["endpoints"][0]["port"] == service["spec"]["ports"][0]["name"]
        for each in of(made, "PodMonitor").values():
            assert chosen(each["spec"]["selector"]["matchLabels"]) == {"worker"}
            assert each["spec"]["podMetricsEndpoints"][0]["port"] in ports["worker"]
        (settings,) = of(made, "ConfigMap").values()
        tomllib.loads(settings["data"]["experience.toml"])
        accounts = {each["metadata"]["name"] for each in of(made, "ServiceAccount").values()} or {"default"}
        for _, spec in pods(made):
            assert spec["serviceAccountName"] in accounts
            volumes = {each["name"]: each for each in spec["volumes"]}
            assert {each["name"] for each in spec["containers"][0]["volumeMounts"]} == set(volumes)
            assert volumes["settings"]["configMap"]["name"] == settings["metadata"]["name"]


@pytest.mark.parametrize("name", list(REFUSED))
def test_values_that_cannot_be_are_refused_by_their_name(answered: Answered, name: str) -> None:
    assert name in answered.refusals[name]
