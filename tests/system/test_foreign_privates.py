"""What is used of libraries beyond their public names. A release that changes one of these fails here.

Each stands at its one place: `web.server.flat`, `plugins.http._ends_cleanly`, `store.postgres.relay`.
"""

import asyncio
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import httpcore2
import procrastinate
import pytest
from experience_runtime.plugins.http import _ends_cleanly
from experience_runtime.web.server import flat
from fastapi import APIRouter
from procrastinate.testing import InMemoryConnector

ANSWER = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"


@pytest.fixture(params=[b"", b"HTTP/1.1 200 OK\r\n\r\n"], ids=["nothing-behind", "another-behind"])
def answer(request: pytest.FixtureRequest) -> Iterator[tuple[str, bytes]]:
    """The address of a server that answers once, and what it sends behind its answer."""
    behind: bytes = request.param
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(65_536)
                connection.sendall(ANSWER + behind)
                connection.recv(1)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}/", behind
        thread.join(timeout=10)


def test_httpcore2_keeps_what_came_behind_an_answer_where_it_is_looked_for(answer: tuple[str, bytes]) -> None:
    address, behind = answer

    with httpcore2.ConnectionPool() as pool, pool.stream("GET", address) as response:
        response.read()
        kept, _ = response.stream._stream._connection._h11_state.trailing_data  # type: ignore[union-attr]

        assert kept == behind
        assert _ends_cleanly(response) is (behind == b"")


def test_fastapi_keeps_the_router_that_was_included_where_it_is_looked_for() -> None:
    inner, outer = APIRouter(), APIRouter()

    @inner.get("/inside")
    def inside() -> None: ...

    @outer.get("/outside")
    def outside() -> None: ...

    outer.include_router(inner)

    assert sorted(route.path for route in flat(outer.routes)) == ["/inside", "/outside"]


def test_procrastinates_worker_names_the_task_that_hears_of_jobs() -> None:
    async def names() -> set[str]:
        app = procrastinate.App(connector=InMemoryConnector())
        async with app.open_async():
            worker = asyncio.create_task(app.run_worker_async(install_signal_handlers=False))
            for _ in range(100):  # turns of the loop, not an instant
                await asyncio.wait([worker], timeout=0)
                found = {task.get_name() for task in asyncio.all_tasks()}
                if "listener" in found:
                    break
            worker.cancel()
            await asyncio.gather(worker, return_exceptions=True)
            return found

    with ThreadPoolExecutor(1) as thread:  # this one may have a browser's loop
        assert "listener" in thread.submit(lambda: asyncio.run(names())).result()
