"""Two servers of one PostgreSQL run the same release, without a restart."""

import httpx
import pytest
from experience_runtime.runtime import Runtime
from experience_runtime.settings.load import load_settings
from experience_runtime.web.server import make_web

from tests.support.serving import serving

pytestmark = pytest.mark.postgres


def test_two_servers_of_one_database_see_a_release_a_rollback_and_a_deactivation(address: str) -> None:
    settings = load_settings(database=address, environ={})
    with (
        Runtime(settings) as one,
        Runtime(settings) as other,
        serving(make_web(one, is_open=True)) as first,
        serving(make_web(other, is_open=True)) as second,
        httpx.Client(base_url=f"{first}/v1/experiences/shop", trust_env=False, timeout=60) as here,
        httpx.Client(base_url=f"{second}/v1/experiences/shop", trust_env=False, timeout=60) as there,
    ):
        for text in ("one", "two"):
            code = f"module.exports = ({{ log }}) => log.info('{text}')"
            made = here.post("/releases", json={"files": {"variation.js": code}}).json()
            for web in (here, there):
                wait_for(web, text)
        back = there.post("/releases/rollback", json={"expected": made["live"]["version"]}).json()
        for web in (here, there):
            wait_for(web, "one")
        stale = here.post("/releases/deactivate", json={"expected": made["live"]["version"]})
        assert stale.json()["code"] == "conflict"
        here.post("/releases/deactivate", json={"expected": back["version"]})
        for web in (here, there):
            wait_for(web, "module_not_found")


def wait_for(web: httpx.Client, wanted: str) -> None:
    """Ask until it is seen; the test's own time limit ends what never is."""
    while True:
        answer = web.post("/run", json={"visitor": "v1"}).json()
        if wanted == (answer["log"][0]["message"] if "log" in answer else answer["code"]):
            return
