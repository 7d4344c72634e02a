"""A server that lets nobody in: told apart from one that is away, and without the password."""

from collections.abc import Iterator

import pytest
from experience_runtime.domain.errors import DatabaseRefused, DatabaseUnavailable
from experience_runtime.store.opening import open_postgres
from experience_runtime.store.postgres.refusing import lets_nobody_in

from tests.support.postgres import Server


@pytest.fixture(scope="module")
def guarded() -> Iterator[Server]:
    """A server that asks one user for a password, and turns another away."""
    server = Server()
    rules = server.folder / "data/pg_hba.conf"
    strict = "host all turned_away all reject\nhost all locked all scram-sha-256\n"
    rules.write_text(strict + rules.read_text())
    server.execute("CREATE ROLE locked LOGIN PASSWORD 'right'")
    server.execute("SELECT pg_reload_conf()")
    yield server
    server.remove()


@pytest.mark.parametrize(
    "who", ["locked:wr0ng-pw@", "locked@", "nobody@", "turned_away@", "experience@"], ids=lambda who: who[:9]
)
def test_a_server_that_lets_nobody_in_is_told_apart(guarded: Server, who: str) -> None:
    database = "none_of_this_name" if who == "experience@" else "postgres"

    with pytest.raises(DatabaseRefused, match="user, password") as refusal:
        open_postgres(f"postgresql://{who}127.0.0.1:{guarded.port}/{database}")

    assert refusal.value.code == "database_refused"
    assert lets_nobody_in(f"postgresql://{who}127.0.0.1:{guarded.port}/{database}")  # whatever its words are
    assert "wr0ng-pw" not in str(refusal.value)


def test_a_server_that_is_not_there_is_away() -> None:
    with pytest.raises(DatabaseUnavailable) as refusal:
        open_postgres("postgresql://ada@127.0.0.1:1/none")

    assert refusal.value.code == "database_unavailable"


def test_who_is_let_in_and_who_finds_nobody_are_not_refused(guarded: Server) -> None:
    assert not lets_nobody_in(guarded.address("postgres"))
    assert not lets_nobody_in("postgresql://ada@127.0.0.1:1/none")
