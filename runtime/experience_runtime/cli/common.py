"""What every verb shares: the options that stand everywhere, one JSON document, refusals."""

import functools
import getpass
import io
import json
import os
import sys
import traceback
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, redirect_stdout
from contextvars import ContextVar
from pathlib import Path
from typing import Any, NoReturn, TextIO

import click

from experience_runtime.cli.terminal import visible
from experience_runtime.domain.audit import Actor
from experience_runtime.domain.errors import ExperienceError, InternalError, InvalidParameter
from experience_runtime.domain.payloads import read_json
from experience_runtime.domain.values import nearest
from experience_runtime.engine.auditing import acting

EXIT_EXPERIENCE_FAILED = 1
EXIT_REFUSED = 2

_EVERYWHERE = ("--database", "--integrations", "--config", "--json")
_USAGE_AS_JSON = "experience_runtime.usage_as_json"

_documents: ContextVar[TextIO | None] = ContextVar("documents", default=None)  # None: stdout


def everywhere(
    command: Callable[..., Any], *, folder_may_be_missing: bool = False, reads_strangers: bool = False
) -> Callable[..., Any]:
    """Add the options that every verb has; the verb takes `settings` and `as_json`.

    Refusals end with exit code 2. `folder_may_be_missing`: the verb makes the folder of --integrations.
    `reads_strangers`: the verb looks at somebody's experience, and runs no integration file that only the
    current directory's experience.toml names.
    """

    @click.option(
        "--database", metavar="URL", help="Where executions are kept. [default: sqlite:///experience.db]"
    )
    @click.option(
        "--integrations",
        "integrations_dir",
        metavar="DIR",
        type=click.Path(path_type=Path),
        help="A folder of integration files.",
    )
    @click.option(
        "--config",
        metavar="FILE",
        type=click.Path(path_type=Path),
        help="The settings file. [default: experience.toml, when there is one]",
    )
    @click.option("--json", "as_json", is_flag=True, help="Print one JSON document on stdout.")
    @functools.wraps(command)
    def with_settings(
        *,
        database: str | None,
        integrations_dir: Path | None,
        config: Path | None,
        as_json: bool,
        **arguments: Any,
    ) -> Any:
        from experience_runtime.cli.log import log_of_a_verb
        from experience_runtime.settings.load import load_settings

        with refusals(as_json=as_json) as refusing, _only_the_document(as_json=as_json):
            if config is not None and not config.is_file():
                raise InvalidParameter(
                    f'--config "{config}" is not a file; write the path of an experience.toml'
                )
            if not (integrations_dir is None or integrations_dir.is_dir() or folder_may_be_missing):
                raise InvalidParameter(
                    f'--integrations "{integrations_dir}" is not a folder; '
                    "name the folder of your integration files"
                )
            settings = load_settings(
                config=config,
                database=database,
                integrations_dir=integrations_dir,
                environ=os.environ,
                runs_code_found_here=not reads_strangers,
            )
            if settings.code_left_out is not None:
                tell(
                    f"the integrations in {settings.code_left_out} are left out: this command runs no code "
                    "that it only finds here; with --config experience.toml it does"
                )
            refusing.redact = settings.redact
            log_of_a_verb(settings.redact)
            with acting(Actor(cli_actor())):
                return command(settings=settings, as_json=as_json, **arguments)

    return with_settings


def cli_actor() -> str:
    """Who types, as the system knows them."""
    try:
        return f"cli {getpass.getuser()}"
    except (KeyError, OSError):  # a user id without a name
        return "cli"


class Refusing:
    """How refusals are told: without secrets, once the settings are read."""

    def __init__(self) -> None:
        self.redact: Callable[[str], str] = str


@contextmanager
def refusals(*, as_json: bool) -> Iterator[Refusing]:
    """End with exit code 2 on a refusal, shown on stderr and, with --json, as {"error": …} on stdout."""
    refusing = Refusing()
    try:
        yield refusing
    except ExperienceError as error:
        _refuse(error.code, refusing.redact(error.message), as_json=as_json)
    except (BrokenPipeError, click.ClickException, click.Abort, click.exceptions.Exit):
        raise  # click's own business
    except OSError as error:
        where = "" if error.filename is None else f'"{error.filename}": '
        text = f"{where}{error.strerror or error}; check the path and its permissions"
        _refuse(InvalidParameter.code, refusing.redact(text), as_json=as_json)
    except Exception as error:  # noqa: BLE001 - a person gets one line, also for a defect
        frame = traceback.extract_tb(error.__traceback__)[-1]
        where = f"{Path(frame.filename).name}:{frame.lineno}"
        text = f"{type(error).__name__}: {error} ({where}); a defect of ours, please report it"
        _refuse(InternalError.code, refusing.redact(text), as_json=as_json)


@contextmanager
def _only_the_document(*, as_json: bool) -> Iterator[None]:
    """With --json, send to stderr what else is printed: an integration's code may print anything."""
    if not as_json:
        yield
        return
    token = _documents.set(sys.stdout)
    try:
        with redirect_stdout(sys.stderr):
            yield
    finally:
        _documents.reset(token)


def _refuse(code: str, message: str, *, as_json: bool) -> NoReturn:
    if as_json:
        print_json({"error": {"code": code, "message": message}})
    fail(f"{code}: {message}", EXIT_REFUSED)


class Verbs(click.Group):
    """A group of verbs: wrong use gets a hint, and with --json a document as every other refusal."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if ctx.parent is None:
            before_end, _, _ = "\0".join(args).partition("\0--\0")
            _spell_what_the_terminal_cannot()
            if os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
                ctx.color = False
            ctx.meta[_USAGE_AS_JSON] = "--json" in before_end.split("\0")
        try:
            return super().parse_args(ctx, args)
        except click.UsageError as error:
            meant = _after_the_command(ctx, error)
            self._print_usage_error(ctx, meant)
            raise meant from None

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except click.UsageError as error:
            self._print_usage_error(ctx, error)
            raise

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """As click's, with each command's whole first sentence."""
        rows = []
        for name in self.list_commands(ctx):
            command = self.get_command(ctx, name)
            if command is not None and not command.hidden:
                rows.append((name, command.get_short_help_str(limit=1000)))
        if rows:
            with formatter.section("Commands"):
                formatter.write_dl(rows)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError:
            meant = nearest(args[0], self.list_commands(ctx), cutoff=0.5)
            hint = (
                f"; did you mean {meant}?" if meant else f"; there are {', '.join(self.list_commands(ctx))}"
            )
            raise click.UsageError(f"there is no command {args[0]!r}{hint}", ctx) from None

    def _print_usage_error(self, ctx: click.Context, error: click.UsageError) -> None:
        # Groups stand in each other: the outermost speaks.
        if ctx.parent is None and ctx.meta[_USAGE_AS_JSON]:
            print_json({"error": {"code": InvalidParameter.code, "message": error.format_message()}})


def _after_the_command(ctx: click.Context, error: click.UsageError) -> click.UsageError:
    if not isinstance(error, click.NoSuchOption) or error.option_name not in _EVERYWHERE:
        return error
    name = error.option_name
    return click.UsageError(f"{name} stands after the command: {ctx.command_path} COMMAND {name} …", ctx)


def _spell_what_the_terminal_cannot() -> None:
    """Write a character that the terminal's encoding lacks as its escape, not as a crash."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def print_json(document: Any) -> None:
    """Print the one JSON document of a --json call."""
    click.echo(json.dumps(document, ensure_ascii=True), file=_documents.get())


def print_pieces(pieces: Iterable[str]) -> None:
    """Print a JSON document that is read while it is printed."""
    for piece in pieces:
        click.echo(piece, nl=False, file=_documents.get())
    click.echo(file=_documents.get())


def say(text: str = "") -> None:
    """Print one line for people on stdout; control characters of strangers are made visible."""
    click.echo(visible(text))


def tell(text: str) -> None:
    """Print one line for people on stderr."""
    click.echo(visible(text), err=True)


def fail(text: str, exit_code: int) -> NoReturn:
    tell(text)
    raise SystemExit(exit_code)


def read_payload(text: str) -> Any:
    """The value of a payload as it is typed in a shell. Raises InvalidPayload."""
    return read_json(text, such_as='\'{"message": "Hello"}\'')
