"""A database's address: which kind it is of, and the file or the server it names."""

from experience_runtime.domain.errors import InvalidParameter
from experience_runtime.store.opening import require_postgres

_SQLITE = "sqlite:///"
_POSTGRES = ("postgresql://", "postgres://")


def is_server(address: str) -> bool:
    """Whether the database is a server's, which many workers share."""
    return address.startswith(_POSTGRES)


def shown(address: str) -> str:
    """The database as people may see it; InvalidParameter for one of another kind."""
    if not is_server(address):
        return file_of(address)
    require_postgres()
    from experience_runtime.store.postgres.connecting import shown_address

    return shown_address(address)


def file_of(address: str) -> str:
    """The SQLite file; InvalidParameter for a database of another kind."""
    if "://" not in address:
        raise InvalidParameter(
            f'database "{address[:200]}" is not an address; write sqlite:///{address[:200]}'
        )
    if address == f"{_SQLITE}:memory:":
        raise InvalidParameter(
            'database ":memory:" would forget everything at once; name a file: sqlite:///experience.db'
        )
    if not address.startswith(_SQLITE) or not address[len(_SQLITE) :]:
        raise InvalidParameter(
            f'database "{address.split("://")[0][:20]}://…" is not one this version opens; '
            "write sqlite:///experience.db, or postgresql://user@host/name"
        )
    return address[len(_SQLITE) :]
