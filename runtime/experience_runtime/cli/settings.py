"""experience settings: the keys that settings in the database are sealed with."""

import click

from experience_runtime.cli.common import Verbs, everywhere, print_json, refusals, say
from experience_runtime.runtime import Runtime
from experience_runtime.settings.load import Settings
from experience_runtime.settings.stored import new_key


@click.group(cls=Verbs)
def settings() -> None:
    """Make a key for settings in the database, and change to another one."""


@settings.command(
    "key",
    epilog="""\b
Examples:
  experience settings key

Set EXPERIENCE_SETTINGS_KEY to it, for every server and worker of the database. Keep it beside your backups,
not in them: without it the settings in them cannot be opened.""",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document on stdout.")
def key(as_json: bool) -> None:
    """Print a new key. It is kept nowhere."""
    with refusals(as_json=as_json):
        made = new_key()
        if as_json:
            print_json({"key": made})
        else:
            say(made)


@settings.command(
    "reseal",
    epilog="""\b
Examples:
  experience settings reseal

To change the key: put a new one before the old in EXPERIENCE_SETTINGS_KEY, with a comma between, and start
every server and worker anew; reseal; then take the old one out.""",
)
@everywhere
def reseal(settings: Settings, as_json: bool) -> None:
    """Seal the settings in the database with the first of the keys."""
    from experience_runtime.runtime.integration_settings import reseal as sealed_anew

    with Runtime(settings) as runtime:
        names = sealed_anew(runtime)
    if as_json:
        print_json({"resealed": names})
        return
    say(f"sealed with the first key: {', '.join(names)}" if names else "no settings stand in the database")
