"""experience alerts: the rules that tell people, and how they stand."""

import click

from experience_runtime.cli.common import Verbs, everywhere, print_json, say
from experience_runtime.cli.telling import of_name, tell_test
from experience_runtime.domain.alerts import AlertState
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

    rule = of_name(name, settings.alerts, "alert")
    with Runtime(settings) as runtime:
        http = Outbound(now=runtime.clock.now, allow_private=settings.allow_private)
        try:
            outcome = make_alerting(runtime, http).test(rule)
        finally:
            http.close()
    tell_test(
        outcome,
        {"alert": name, "integration": rule.integration},
        f"{rule.integration} took the message",
        as_json=as_json,
    )
