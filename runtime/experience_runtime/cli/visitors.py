"""The options that say who an experience runs for."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

import click

from experience_runtime.domain.errors import InvalidParameter
from experience_runtime.domain.visitors import Visitor, check_visitor_id
from experience_runtime.domain.zones import fixed_zone, iana_zone


def visitor_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add --visitor, --timezone, --timezone-offset, --data and --repair."""
    for option in reversed(
        (
            click.option(
                "--visitor", "visitor_id", metavar="ID", help="Who it runs for; left out, nobody is known."
            ),
            click.option("--timezone", metavar="ZONE", help="The visitor's IANA zone, such as Europe/Paris."),
            click.option(
                "--timezone-offset",
                type=int,
                metavar="MIN",
                help="Instead: minutes behind UTC, as getTimezoneOffset() (-60 is UTC+1).",
            ),
            click.option(
                "--data",
                "data_file",
                metavar="FILE",
                type=click.Path(path_type=Path),
                help="JSON for options.data.",
            ),
            click.option(
                "--variation", metavar="NAME", help="Which variation file; left out, the last by name."
            ),
            click.option(
                "--repair",
                is_flag=True,
                help="Mend a parameter that is declared again, as in the published sample.",
            ),
        )
    ):
        command = option(command)
    return command


def given_visitor(visitor_id: str | None, timezone: str | None, timezone_offset: int | None) -> Visitor:
    """The visitor of these options alone; nothing is looked up. Raises a Refusal when one is wrong."""
    if timezone is not None and timezone_offset is not None:
        raise InvalidParameter("a visitor has a timezone or a timezone offset; give one of them")
    if timezone is not None:
        iana_zone(timezone)
    if timezone_offset is not None:
        fixed_zone(timezone_offset)
    if visitor_id is not None:
        check_visitor_id(visitor_id)
    return Visitor(id=visitor_id, timezone=timezone, timezone_offset=timezone_offset)


def read_data(path: Path | None) -> Any:
    """The JSON of --data; None when it was left out."""
    if path is None:
        return None
    try:
        return json.loads(path.read_text(encoding="utf-8"), parse_constant=_refuse_constant)
    except OSError as error:
        raise InvalidParameter(
            f'--data "{path}" cannot be read: {error.strerror}; name a JSON file'
        ) from None
    except (ValueError, RecursionError) as error:
        raise InvalidParameter(f'--data "{path}" is not JSON: {error}; mend the file') from None


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON value")
