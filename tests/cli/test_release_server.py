"""`--server`: a release is sent to a server, and what it refuses is told as a refusal of the command."""

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest
from experience_runtime.domain.access import Scope, new_token
from experience_runtime.runtime import Runtime
from experience_runtime.settings.load import load_settings
from experience_runtime.web.server import make_web

from tests.support.serving import serving

from .conftest import CommandLine, write

CODE = "module.exports = ({{ log }}) => log.info('{}')\n"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[tuple[str, str]]:
    """A server of a database elsewhere: its address, and a token of an operator."""
    settings = load_settings(database=f"sqlite:///{tmp_path}/elsewhere.db", environ={})
    with Runtime(settings) as runtime, serving(make_web(runtime)) as address:
        text, made = new_token("ops", [Scope.OPERATOR], (), now=runtime.clock.now())
        runtime.store.tokens.put(made)
        yield address, text


def test_releases_of_a_server_are_made_and_changed_from_here(
    cli: CommandLine, server: tuple[str, str]
) -> None:
    address, token = server
    at = ("--server", address)
    env = {"EXPERIENCE_TOKEN": token}
    for text in ("one", "two"):
        write(Path("shop/variation.js"), CODE.format(text))
        said = cli("release", "shop", "--name", "shop", *at, env=env)
        assert said.code == 0, said.err

    assert said.out.startswith("release 2 of shop runs for everybody (1 files, ")
    listed = cli("releases", "list", "shop", *at, env=env).out.splitlines()
    assert [line.split()[0] for line in listed] == ["2", "1"]
    assert "runs" in listed[0]
    assert (
        "+module.exports = ({ log }) => log.info('two')"
        in cli("releases", "diff", "shop", "1", "2", *at, env=env).out
    )
    assert cli("releases", "show", "shop", "1", *at, env=env).out.startswith("release 1 of shop, ")
    assert cli("releases", "rollback", "shop", *at, "--token", token).out == "shop: release 1 runs\n"
    assert cli("releases", "deactivate", "shop", *at, env=env).out == "shop: nothing runs\n"
    assert cli("releases", "activate", "shop", "2", *at, env=env).out == "shop: release 2 runs\n"
    assert not Path("experience.db").exists()


def test_what_a_server_refuses_is_told_as_here(cli: CommandLine, server: tuple[str, str]) -> None:
    address, token = server
    write(Path("shop/variation.js"), "let a; let a")
    put = ("release", "shop", "--name", "shop", "--json")

    here = cli(*put)
    there = cli(*put, "--server", address, "--token", token)

    assert there.refusal == here.refusal
    assert there.refusal["code"] == "not_releasable"
    for words, code, told in (
        ((*put, "--server", address), "unauthorized", "needs a token"),
        ((*put, "--server", address, "--token", "a\nb"), "invalid_parameter", "not one line"),
        ((*put, "--server", "ftp://x"), "invalid_parameter", "ftp://x"),
        ((*put, "--server", "http://127.0.0.1:9"), "invalid_parameter", "gives no answer"),
        (("releases", "list", "--json", "--server", address), "invalid_parameter", "write its NAME"),
        (
            ("releases", "show", "shop", "7", "--json", "--server", address, "--token", token),
            "unknown_release",
            "7",
        ),
    ):
        refusal = cli(*words).refusal
        assert (refusal["code"], told in refusal["message"]) == (code, True), refusal
        assert token not in refusal["message"]


class _Odd(BaseHTTPRequestHandler):
    answers = ((200, b"<html>"), (200, b"[]"), (200, b'{"live": 1}'), (302, b""), (500, b'{"code": 1}'))
    seen: list[str | None]

    def do_GET(self) -> None:
        status, body = self.answers[len(self.seen) % len(self.answers)]
        self.seen.append(self.headers.get("Authorization"))
        self.send_response(status)
        self.send_header("Location", self.path)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nothing."""


def test_a_server_that_is_no_experience_runtime_is_told_so_and_followed_nowhere(cli: CommandLine) -> None:
    _Odd.seen = []
    with HTTPServer(("127.0.0.1", 0), _Odd) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        at = f"http://127.0.0.1:{server.server_port}/below"
        found = [
            cli("releases", "list", "shop", "--json", "--server", at, "--token", "t").refusal
            for _ in _Odd.answers
        ]
        server.shutdown()

    assert {each["code"] for each in found} == {"invalid_parameter"}
    assert _Odd.seen == ["Bearer t"] * len(_Odd.answers)
