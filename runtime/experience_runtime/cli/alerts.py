"""experience alerts: the rules that tell people, and how they stand."""

import click

from experience_runtime.cli.common import EXIT_REFUSED, Verbs, everywhere, fail, print_json, say
from experience_runtime.domain.alerts import AlertState, Rule
from experience_runtime.domain.errors import InvalidParameter
from experience_runtime.domain.values import nearest, shown
from experience_runtime.engine.alerting import rule_document
from experience_runtime.runtime import Runtime
from experience_runtime.settings.load import Settings


@click.group(cls=Verbs)
def alerts() -> None:
    """List what people are told of, and try it."""


@alerts.command(
    "list",
    epilog="""\b
Examples:
  experience alerts list
  experience alerts list --json

`serve` and `worker` look every 5 s; of several processes on one database one does.""",
)
@everywhere
def list_(settings: Settings, as_json: bool) -> None:
    """List the rules under [alerts], what each tells of now, and when it told last."""
    with Runtime(settings, to_look=True) as runtime:
        kept = runtime.store.alerts.all() if runtime.has_database else {}
    found = [rule_document(rule, kept.get(rule.name, AlertState())) for rule in settings.alerts]
    if as_json:
        print_json({"alerts": found})
        return
    for each in found:
        say(f"{each['name']:<20} {each['integration']}  {', '.join(each['on'])}")
        for firing in each["firing"]:
            told = "not told yet" if firing["told_at"] is None else f"told at {firing['told_at']}"
            say(f"        since {firing['since']}, {told}: {firing['text']}")
        if each["error"]:
            say(f"        the last message did not go: {each['error']}")
    if not found:
        say('no alerts; write [alerts.ops] with integration = "slack-update" and on = ["execution_failed"]')


@alerts.command(
    "test",
    epilog="""\b
Examples:
  experience alerts test ops""",
)
@click.argument("name")
@everywhere
def test(name: str, settings: Settings, as_json: bool) -> None:
    """Send a message of the rule NAME now, that says it is a test."""
    from experience_runtime.plugins.http import Outbound
    from experience_runtime.runtime.alerts import make_alerting

    rule = _rule(name, settings)
    with Runtime(settings) as runtime:
        http = Outbound(now=runtime.clock.now, allow_private=settings.allow_private)
        try:
            outcome = make_alerting(runtime, http).test(rule)
        finally:
            http.close()
    if as_json:
        error = None if outcome.code is None else {"code": outcome.code, "message": outcome.error}
        print_json({"alert": name, "integration": rule.integration, "ok": error is None, "error": error})
    if outcome.code is not None:
        if as_json:
            raise SystemExit(EXIT_REFUSED)
        fail(f"{outcome.code}: {outcome.error}", EXIT_REFUSED)
    if not as_json:
        say(f"{rule.integration} took the message")


def _rule(name: str, settings: Settings) -> Rule:
    names = [rule.name for rule in settings.alerts]
    if name not in names:
        meant = nearest(name, names, cutoff=0.5)
        hint = f'did you mean "{meant}"?' if meant else f"there are: {', '.join(names) or 'none'}"
        raise InvalidParameter(f"there is no alert {shown(name)}; {hint}")
    return settings.alerts[names.index(name)]
