"""experience convert: a visitor bought."""

import click

from experience_runtime.cli.common import everywhere, print_json, say
from experience_runtime.domain.visitor_events import happened_at
from experience_runtime.runtime import Runtime
from experience_runtime.settings.load import Settings


@click.command(
    epilog="""\b
Examples:
  experience convert v1
  experience convert v1 --event shop.ecBasketTransactionSummary --json
  experience convert v1 --age 3600000

What was scheduled after it happened is not cancelled."""
)
@click.argument("visitor")
@click.option(
    "--event", metavar="NAME", help="The event's name. [default: the first of the settings' conversions]"
)
@click.option("--age", type=int, metavar="MS", help="How many milliseconds ago it happened. [default: 0]")
@everywhere
def convert(visitor: str, event: str | None, age: int | None, settings: Settings, as_json: bool) -> None:
    """Record a conversion of VISITOR, and cancel what waits for one."""
    with Runtime(settings) as runtime:
        at = happened_at(age, now=runtime.clock.now())
        ids = runtime.scheduler.convert(visitor, event=event, at=at, by_hand=True)
    if as_json:
        print_json({"visitor": visitor, "cancelled": len(ids), "ids": ids})
        return
    executions = "execution" if len(ids) == 1 else "executions"
    say(f"{visitor}: a conversion is recorded, {len(ids)} pending {executions} cancelled")
    for execution_id in ids:
        say(f"  {execution_id}")
