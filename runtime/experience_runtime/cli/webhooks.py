"""experience webhooks: which programs are told of state changes, and how far they are."""

import click

from experience_runtime.cli.common import Verbs, everywhere, print_json, say
from experience_runtime.cli.telling import of_name, tell_test
from experience_runtime.domain.executions import Filter, Status
from experience_runtime.domain.state_changes import STATE_CHANGES
from experience_runtime.runtime import Runtime
from experience_runtime.settings.load import Settings


@click.group(cls=Verbs)
def webhooks() -> None:
    """List which programs are told of state changes, and try it."""


@webhooks.command(
    "list",
    epilog="""\b
Examples:
  experience webhooks list
  experience webhooks list --json

`serve` and `worker` tell them. Each call is an execution of state-changes;
`experience executions list --integration state-changes` shows how it went.""",
)
@everywhere
def list_(settings: Settings, as_json: bool) -> None:
    """List the webhooks under [webhooks], of what each is told, and what has yet to reach them."""
    from experience_runtime.runtime.webhooks import webhook_documents

    with Runtime(settings, to_look=True) as runtime:
        found = webhook_documents(runtime)
        waiting = _waiting(runtime)
    if as_json:
        print_json({"webhooks": found, "waiting": waiting})
        return
    for each in found:
        of = ", ".join(each["integrations"]) or "every integration"
        say(f"{each['name']:<20} {', '.join(each['on'])}  of {of}")
        if each["behind"]:
            say(f"        {each['behind']:,} changes are yet to be looked at")
        if each["last"] and each["last"]["status"] == "failed":
            say(f"        the last call failed at {each['last']['at']}: {each['last']['error']}")
    if waiting:
        say(f"{waiting:,} calls wait or are under way")
    if not found:
        say('no webhooks; write [webhooks.crm] with url = "env:CRM_WEBHOOK_URL"')


@webhooks.command(
    "test",
    epilog="""\b
Examples:
  experience webhooks test crm""",
)
@click.argument("name")
@everywhere
def test(name: str, settings: Settings, as_json: bool) -> None:
    """Call the webhook NAME now, with an event of the type `test`."""
    from experience_runtime.plugins.http import Outbound
    from experience_runtime.runtime.webhooks import call_to_test

    webhook = of_name(name, settings.webhooks, "webhook")
    with Runtime(settings) as runtime:
        http = Outbound(now=runtime.clock.now, allow_private=settings.allow_private)
        try:
            outcome = call_to_test(runtime, webhook, http)
        finally:
            http.close()
    tell_test(outcome, {"webhook": name}, f"{name} took the event", as_json=as_json)


def _waiting(runtime: Runtime) -> int:
    if not runtime.has_database:
        return 0
    filter = Filter(statuses=(Status.PENDING, Status.RUNNING), integration=STATE_CHANGES)
    return runtime.store.count(filter)
