"""What an integration sends."""

import json
import threading

import pytest
from experience_runtime import __version__
from experience_runtime.domain.errors import InvalidPayload
from experience_runtime.plugins.http import Outbound
from pytest_httpserver import HTTPServer
from werkzeug import Response


def test_a_post_sends_ascii_json_and_our_user_agent(outbound: Outbound, httpserver: HTTPServer) -> None:
    httpserver.expect_request("/hook").respond_with_json({"done": True}, status=201)

    answer = outbound.post(httpserver.url_for("/hook?a=1"), json={"ä": 1}, headers={"X-Extra": "yes"})

    request = httpserver.log[0][0]
    assert request.method == "POST"
    assert request.query_string == b"a=1"
    assert request.data == b'{"\\u00e4": 1}'
    assert request.headers["content-type"] == "application/json"
    assert request.headers["user-agent"] == f"experience-runtime/{__version__}"
    assert request.headers["x-extra"] == "yes"
    assert request.headers["host"] == f"localhost:{httpserver.port}"
    assert (answer.status, answer.json()) == (201, {"done": True})
    assert answer.headers["content-type"] == "application/json"


def test_a_caller_may_set_its_own_content_type(outbound: Outbound, httpserver: HTTPServer) -> None:
    httpserver.expect_request("/").respond_with_data("")

    outbound.post(httpserver.url_for("/"), json=[], headers={"Content-Type": "application/x"})

    assert httpserver.log[0][0].headers["content-type"] == "application/x"


def test_a_get_sends_no_body(outbound: Outbound, httpserver: HTTPServer) -> None:
    httpserver.expect_request("/", method="GET").respond_with_data("hello")

    assert outbound.request("get", httpserver.url_for("/")).text == "hello"
    assert "content-length" not in httpserver.log[0][0].headers


@pytest.mark.parametrize("value", [float("nan"), float("inf"), {1, 2}, {"a": object()}])
def test_what_is_not_json_is_not_sent(outbound: Outbound, value: object) -> None:
    with pytest.raises(InvalidPayload):
        outbound.post("http://127.0.0.1:9/", json=value)


def test_the_environment_and_cookies_change_nothing(
    outbound: Outbound, httpserver: HTTPServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    httpserver.expect_request("/").respond_with_data("ok", headers={"set-cookie": "visitor=1"})

    outbound.request("GET", httpserver.url_for("/"))
    outbound.request("GET", httpserver.url_for("/"))

    assert "cookie" not in httpserver.log[1][0].headers


def test_a_redirect_is_an_answer_and_not_followed(outbound: Outbound, httpserver: HTTPServer) -> None:
    httpserver.expect_request("/").respond_with_data("", status=302, headers={"location": "/other"})

    assert outbound.post(httpserver.url_for("/")).status == 302
    assert len(httpserver.log) == 1


def test_calls_of_many_threads_do_not_share_a_deadline(outbound: Outbound, httpserver: HTTPServer) -> None:
    httpserver.expect_request("/").respond_with_handler(
        lambda request: Response(json.dumps(len(request.data)))
    )
    found: list[object] = []

    def call(size: int) -> None:
        found.append(outbound.request("POST", httpserver.url_for("/"), content=b"x" * size).json())

    threads = [threading.Thread(target=call, args=(size,)) for size in range(1, 9)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(map(str, found)) == [str(size) for size in range(1, 9)]
