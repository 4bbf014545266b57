"""`tap-freshbooks estimate`: what a first sync will take."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import IO, TYPE_CHECKING, Any

import click

from tap_freshbooks.commands.options import catalog_option, config_option, make_tap, show
from tap_freshbooks.doctor.estimate import Estimate, EstimatedPartition
from tap_freshbooks.doctor.estimate import estimate as estimate_sync
from tap_freshbooks.errors import ExitStatus

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tap_freshbooks.config.settings import Settings


@click.command(help="Say how many rows, requests and minutes a first sync will take.")
@config_option
@catalog_option("estimate")
@click.option("--json", "as_json", is_flag=True, help="One JSON object, for programs.")
def estimate(settings: Settings, catalog: IO[str] | None, *, as_json: bool) -> int:
    """Ask for one row of each list, and show what follows from it."""
    tap = make_tap(settings, catalog)
    sources = list(tap.run.sources)
    read = {stream.name for stream in sources}
    selected = [stream.name for stream in tap.streams.values() if stream.selected]
    derived = [name for name in selected if name not in read]
    try:
        found = estimate_sync(tap.connection, sources, derived)
    finally:
        tap.connection.close()
    for complaint in tap.connection.complaints:
        show(complaint, err=True)
    if as_json:
        click.echo(json.dumps(_as_json(found), indent=2))
    else:
        for line in _lines(found):
            show(line)
    return ExitStatus.FAILED if found.failed or tap.connection.complaints else ExitStatus.DONE


def _lines(found: Estimate) -> Iterator[str]:
    """A table, what it comes to, and what it cannot know."""
    width = max((len(each.stream) for each in found.partitions), default=0)
    yield f"{'stream':{width}}  {'business':>10}  {'rows':>10}  requests"
    for each in found.partitions:
        more = "+" if each.cost.is_lower_bound else " "
        business = each.business.business_id if each.business else "-"
        counts = f"{each.rows:>9,}{more}  {each.cost.requests:>7,}{more}"
        remark = _remark(each)
        yield f"{each.stream:{width}}  {business:>10}  {counts}{remark}".rstrip()
    yield ""
    yield from _summary(found)


def _remark(each: EstimatedPartition) -> str:
    if each.failure:
        return f"  not known: {each.failure}"
    if each.cost.refusal:
        return f"  refused: {each.cost.refusal}"
    return "" if each.is_selected else "  read for derived streams only"


def _summary(found: Estimate) -> Iterator[str]:
    pace = found.pace
    limit = "FreshBooks named no limit"
    if pace.rate_limit:
        limit = f"FreshBooks allows {pace.rate_limit:,} a minute"
    is_open = found.is_lower_bound or bool(found.failed)
    about, more = ("about ", "at least ") if is_open else ("", "")  # rows may count twice
    yield (
        f"First sync: {about}{found.rows:,} rows, {more}{found.requests:,} requests with that for "
        f"the identity, at least {found.minutes:.1f} minutes"
    )
    yield (
        f"Pace: {pace.requests_per_second:g} requests a second and {pace.max_concurrency} at once "
        f"by the settings, {pace.latency * 1000:.0f} ms an answer; {limit}"
    )
    yield f"This estimate took {found.asked:,} requests."
    yield (
        "Rows are those that FreshBooks counts: a total may count rows that the token cannot read, "
        "or that start_date leaves out, and a row in two lists of a stream counts twice."
    )
    if found.is_lower_bound:
        yield "+: there may be more, as no answer says how many."
    yield (
        "Not in it: repeated requests, lists that move meanwhile, pages of less than 100 rows, "
        "the loading."
    )
    if found.derived:
        yield f"With these, without requests, and as many as they hold: {', '.join(found.derived)}"


def _as_json(found: Estimate) -> dict[str, Any]:
    return {
        "rows": found.rows,
        "requests": found.requests,
        "minutes": round(found.minutes, 2),
        "is_lower_bound": found.is_lower_bound or bool(found.failed),
        "asked": found.asked,
        "pace": asdict(found.pace),
        "streams": [
            {
                "stream": each.stream,
                "business_id": each.business.business_id if each.business else None,
                "rows": each.rows,
                "requests": each.cost.requests,
                "is_lower_bound": each.cost.is_lower_bound,
                "is_selected": each.is_selected,
                "refusal": each.cost.refusal or None,
                "failure": each.failure or None,
            }
            for each in found.partitions
        ],
        "derived": found.derived,
    }
