"""experience integrations set: type settings of an integration, where they stand in the database."""

import sys

import click

from experience_runtime.cli.common import everywhere, print_json, say
from experience_runtime.domain.errors import InvalidParameter
from experience_runtime.runtime import Runtime
from experience_runtime.settings.load import Settings


@click.command(
    "set",
    epilog="""\b
Examples:
  experience integrations set slack-update --secret url
  experience integrations set email host=mail.example port=587 sender=shop@example.com
  experience integrations set email --remove reply_to

This needs settings = "database" under [serve], and a key: see `experience settings key`. Every server and
worker uses a change within a second. Without a terminal, --secret reads a line of stdin for each.""",
)
@click.argument("name")
@click.argument("given", metavar="[KEY=VALUE]...", nargs=-1)
@click.option("--secret", "secrets", metavar="KEY", multiple=True, help="Ask for its value; repeatable.")
@click.option("--remove", "removed", metavar="KEY", multiple=True, help="Remove this setting; repeatable.")
@everywhere
def set_(
    name: str,
    given: tuple[str, ...],
    secrets: tuple[str, ...],
    removed: tuple[str, ...],
    settings: Settings,
    as_json: bool,
) -> None:
    """Set, change or remove settings of the integration NAME. They are checked first; no other is touched."""
    from experience_runtime.runtime.integration_settings import change_settings, typed_settings

    typed = dict(map(_pair, given)) | {key: _asked(key) for key in secrets}
    with Runtime(settings) as runtime:
        values = typed_settings(runtime, name, typed)
        version = change_settings(runtime, name, values, removed=removed)
    if as_json:
        print_json({"integration": name, "changed": sorted({*values, *removed}), "version": version})
        return
    say(f"the settings of {name} are kept: {', '.join(sorted({*values, *removed}))}")


def _pair(text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not equals or not key:
        # not shown: what has no name may be a secret
        raise InvalidParameter("a setting is written as KEY=VALUE, and --secret KEY asks for one")
    return key, value


def _asked(key: str) -> str:
    if sys.stdin.isatty():
        value: str = click.prompt(key, hide_input=True, err=True)
        return value
    line = sys.stdin.readline()
    if not line.strip():
        raise InvalidParameter(
            f"--secret {key} reads a line of stdin, and there is none; write the value to it"
        )
    return line.rstrip("\r\n")
