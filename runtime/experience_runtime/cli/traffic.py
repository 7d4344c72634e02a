"""experience traffic: how the variations of an experience did."""

import click

from experience_runtime.cli.common import everywhere, print_json, say
from experience_runtime.documents.traffic import traffic_csv, traffic_document
from experience_runtime.domain.errors import InvalidParameter
from experience_runtime.runtime import Runtime
from experience_runtime.settings.load import Settings


@click.command(
    epilog="""\b
Examples:
  experience traffic reminder
  experience traffic reminder --json
  experience traffic reminder --csv >traffic.csv

A visitor counts once "traffic" of package.json has chosen their variation and it was shown. A run for which a
variation was asked for by its name counts nowhere. A conversion counts when it came after that."""
)
@click.argument("name")
@click.option("--csv", "as_csv", is_flag=True, help="Print it as CSV.")
@everywhere
def traffic(name: str, as_csv: bool, settings: Settings, as_json: bool) -> None:
    """Show of each variation of NAME its visitors, executions and conversions, with a confidence interval."""
    if as_csv and as_json:
        raise InvalidParameter("--csv and --json are two forms of the same; leave one of them out")
    with Runtime(settings, to_look=True) as runtime:
        document = traffic_document(name, runtime.store.exposures.tally(name))
    if as_csv:
        click.echo(traffic_csv(document), nl=False)
    elif as_json:
        print_json(document)
    elif not document["variations"]:
        say(f"nobody was shown a variation of {name} that traffic chose; write shares into its package.json")
    else:
        say(f"{'variation':<12}{'visitors':>10}{'executions':>12}{'converted':>11}  rate (95 % confidence)")
        for each in document["variations"]:
            rate, low, high = (f"{each[key]:.2%}" for key in ("rate", "low", "high"))
            counts = f"{each['visitors']:>10}{each['executions']:>12}{each['converted']:>11}"
            say(f"{each['variation']:<12}{counts}  {rate} ({low} to {high})")
