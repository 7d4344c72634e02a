"""A real server on loopback, on a thread of this process."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from fastapi import FastAPI


@contextmanager
def serving(web: FastAPI) -> Iterator[str]:
    """Serve the application on a free port; gives its address, such as `http://127.0.0.1:40123`."""
    # the protocol is told, as `experience serve` does: else small answers wait for acknowledgements
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.bind(("127.0.0.1", 0))
    listener.listen(128)
    server = uvicorn.Server(
        uvicorn.Config(web, log_config=None, access_log=False, lifespan="off", proxy_headers=False)
    )
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()  # the listener is open already: what connects early waits in its queue
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()
        listener.close()
