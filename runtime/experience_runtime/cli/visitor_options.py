"""The options that say who an experience runs for."""

import functools
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from experience_runtime.domain.errors import InvalidParameter
from experience_runtime.domain.json_faults import json_fault
from experience_runtime.domain.page_facts import PageFacts, read_page_facts
from experience_runtime.domain.values import refuse_constant, shown


def visitor_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the visitor's options, --variation and --repair; `read_facts` reads what the page tells."""
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
                "--event",
                "events",
                metavar="TYPE=JSON",
                multiple=True,
                help="What happened on the page before; as often as needed.",
            ),
            _file("--state", "JSON for options.getVisitorState()."),
            click.option(
                "--keep-state", is_flag=True, help="Keep that state with the visitor, for later runs."
            ),
            _file("--browser", "JSON for options.getBrowserState(): url, referrer, language, ua, …"),
            _file("--cookies", "JSON: the page's cookies, by their names."),
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
    return _with_facts(command)


def _file(option: str, text: str) -> Callable[..., Any]:
    return click.option(
        option, f"{option[2:]}_file", metavar="FILE", type=click.Path(path_type=Path), help=text
    )


def _with_facts(command: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(command)
    def told(
        *args: Any,
        events: tuple[str, ...],
        state_file: Path | None,
        browser_file: Path | None,
        cookies_file: Path | None,
        keep_state: bool,
        **others: Any,
    ) -> Any:
        def read() -> PageFacts:
            return read_page_facts(
                events=[_event(each) for each in events],
                state=read_json_file("--state", state_file),
                browser=read_json_file("--browser", browser_file),
                cookies=read_json_file("--cookies", cookies_file),
                keep_state=keep_state,
            )

        return command(*args, read_facts=read, **others)

    return told


def _event(text: str) -> dict[str, Any]:
    """An event as typed: `ecView`, or `ecView={"page": 1}`."""
    event_type, equals, data = text.partition("=")
    if not equals:
        return {"type": event_type}
    try:
        return {"type": event_type, "data": json.loads(data, parse_constant=refuse_constant)}
    except (ValueError, RecursionError) as error:
        raise InvalidParameter(
            f"--event {shown(text)} is not JSON after the =: {json_fault(error)}; "
            "write --event 'ecView={\"page\": 1}'"
        ) from None


def read_data(path: Path | None) -> Any:
    """The JSON of --data; None when it was left out."""
    return read_json_file("--data", path)


def read_json_file(option: str, path: Path | None) -> Any:
    """The JSON of a file that an option names; None when it was left out. Raises InvalidParameter."""
    if path is None:
        return None
    try:
        return json.loads(path.read_text(encoding="utf-8"), parse_constant=refuse_constant)
    except OSError as error:
        raise InvalidParameter(
            f'{option} "{path}" cannot be read: {error.strerror}; name a JSON file'
        ) from None
    except (ValueError, RecursionError) as error:
        raise InvalidParameter(f'{option} "{path}" is not JSON: {json_fault(error)}') from None
