"""experience tokens: create, list and revoke what callers of the API show."""

from datetime import datetime

import click

from experience_runtime.cli.common import Verbs, everywhere, print_json, say, tell
from experience_runtime.cli.terminal import styled
from experience_runtime.documents.documents import token_document
from experience_runtime.domain.access import Scope, Token, new_token
from experience_runtime.domain.errors import Conflict, Unauthorized
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
  experience tokens create audit --scope viewer --expires 90d --note "the auditors of 2026"
  experience tokens create ops --scope operator --if-missing

operator may do everything, viewer read everything. author runs, simulates and checks experiences, and reads
executions. site sends events, runs what [experiences] lists, and calls integrations with site = true. metrics
reads /metrics. A browser's page may use a token only when its origin is named; --origin null is for sandboxed
frames and pages out of files, whoever's they are.""",
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
@click.option("--expires", metavar="WHEN", help="A duration such as 90d, or an ISO 8601 instant.")
@click.option("--note", default="", metavar="TEXT", help="What it is for; lists show it.")
@click.option("--if-missing", is_flag=True, help="Where a token has this name, keep it and make none.")
@everywhere
def create(
    name: str,
    scopes: tuple[str, ...],
    origins: tuple[str, ...],
    expires: str | None,
    note: str,
    if_missing: bool,
    settings: Settings,
    as_json: bool,
) -> None:
    """Make the token NAME and print it. It is shown this once: only its digest is kept."""
    with Runtime(settings) as runtime:
        chosen = [Scope(scope) for scope in scopes]
        text, made = new_token(name, chosen, origins, now=runtime.clock.now(), expires=expires, note=note)
        kept = None
        try:
            runtime.store.tokens.put(made)
        except Conflict:
            kept = next((each for each in runtime.store.tokens.all() if each.name == name), None)
            if not if_missing or kept is None:
                raise
    if kept is not None:
        if as_json:
            print_json({**token_document(kept), "token": None})
        tell(f"{name} is there already, so none was made")
        return
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
    """List the tokens: what each may do, from where, until when, and when it was used last."""
    with Runtime(settings, to_look=True) as runtime:
        now = runtime.clock.now()
        kept = runtime.store.tokens.all()
        found = [token_document(each) for each in kept]
    if as_json:
        print_json({"tokens": found})
        return
    for each in kept:
        scopes, origins = ", ".join(each.scopes), "  ".join(each.origins)
        click.echo(styled(f"{each.name:<20} {scopes:<20} {_standing(each, now)}  {origins}".rstrip()))
        if each.note:
            click.echo(styled(f"{'':<20} {each.note}"))
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
        if not runtime.store.tokens.revoke(name, now=runtime.clock.now()):
            raise Unauthorized(
                f"there is no token {shown(name)}; `experience tokens list` shows those there are"
            )
    if as_json:
        print_json({"revoked": name})
        return
    say(f"{name} is revoked")


def _standing(token: Token, now: datetime) -> str:
    used = "not used yet" if token.used_at is None else f"used {_minute(token.used_at)}"
    if token.expires_at is None:
        return used
    return f"{used}, {'expired' if token.is_expired(now) else 'expires'} {_minute(token.expires_at)}"


def _minute(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC"
