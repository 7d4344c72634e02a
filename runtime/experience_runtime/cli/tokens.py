"""experience tokens: create, list and revoke what callers of the API show."""

import click

from experience_runtime.cli.common import Verbs, everywhere, print_json, say, styled, tell
from experience_runtime.documents.documents import token_document
from experience_runtime.domain.access import Scope, new_token
from experience_runtime.domain.errors import Unauthorized
from experience_runtime.domain.values import shown
from experience_runtime.runtime import Runtime
from experience_runtime.settings.load import Settings


@click.group(
    cls=Verbs,
    epilog="""\b
Examples:
  experience tokens create ops --scope operator
  experience tokens create shop --scope site --origin https://shop.example
  experience tokens list
  experience tokens revoke shop""",
)
def tokens() -> None:
    """Create, list and revoke the tokens of `experience serve`."""


@tokens.command(
    "create",
    epilog="""\b
Examples:
  experience tokens create ops --scope operator
  experience tokens create qa --scope author
  experience tokens create shop --scope site --origin https://shop.example --origin https://m.shop.example

operator may do everything, viewer read everything. author runs, simulates and checks experiences, and reads
executions. site sends events, runs what [experiences] lists, and calls integrations with site = true. metrics
reads /metrics. A browser's page may use a token only when its origin is named.""",
)
@click.argument("name")
@click.option(
    "--scope",
    "scopes",
    multiple=True,
    required=True,
    type=click.Choice([scope.value for scope in Scope]),
    help="What it may do; repeatable.",
)
@click.option("--origin", "origins", metavar="URL", multiple=True, help="Pages that may use it; repeatable.")
@everywhere
def create(
    name: str, scopes: tuple[str, ...], origins: tuple[str, ...], settings: Settings, as_json: bool
) -> None:
    """Make the token NAME and print it. It is shown this once: only its digest is kept."""
    with Runtime(settings) as runtime:
        text, made = new_token(name, [Scope(scope) for scope in scopes], origins, now=runtime.clock.now())
        runtime.store.tokens.put(made)
    if as_json:
        print_json({**token_document(made), "token": text})
        return
    say(text)
    tell(f"this is shown once; {name} may be revoked with `experience tokens revoke {name}`")


@tokens.command(
    "list",
    epilog="""\b
Examples:
  experience tokens list
  experience tokens list --json""",
)
@everywhere
def list_(settings: Settings, as_json: bool) -> None:
    """List the tokens: what each may do, and from where. Never the tokens themselves."""
    with Runtime(settings, to_look=True) as runtime:
        found = [token_document(each) for each in runtime.store.tokens.all()]
    if as_json:
        print_json({"tokens": found})
        return
    for each in found:
        scopes, origins = ", ".join(each["scopes"]), "  ".join(each["origins"])
        click.echo(styled(f"{each['name']:<20} {scopes:<20} {each['created_at']}  {origins}".rstrip()))
    if not found:
        say("no tokens; `experience tokens create NAME --scope operator` makes one")


@tokens.command(
    "revoke",
    epilog="""\b
Examples:
  experience tokens revoke shop""",
)
@click.argument("name")
@everywhere
def revoke(name: str, settings: Settings, as_json: bool) -> None:
    """Forget the token NAME, at once; sessions begun with it end."""
    with Runtime(settings) as runtime:
        if not runtime.store.tokens.revoke(name):
            raise Unauthorized(
                f"there is no token {shown(name)}; `experience tokens list` shows those there are"
            )
    if as_json:
        print_json({"revoked": name})
        return
    say(f"{name} is revoked")
