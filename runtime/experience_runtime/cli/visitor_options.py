"""The options that say who an experience runs for."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from experience_runtime.domain.errors import InvalidParameter
from experience_runtime.domain.values import refuse_constant


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


def read_data(path: Path | None) -> Any:
    """The JSON of --data; None when it was left out."""
    if path is None:
        return None
    try:
        return json.loads(path.read_text(encoding="utf-8"), parse_constant=refuse_constant)
    except OSError as error:
        raise InvalidParameter(
            f'--data "{path}" cannot be read: {error.strerror}; name a JSON file'
        ) from None
    except (ValueError, RecursionError) as error:
        raise InvalidParameter(f'--data "{path}" is not JSON: {error}; mend the file') from None
