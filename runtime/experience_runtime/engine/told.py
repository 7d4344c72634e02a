"""What is told of visitors from outside, as far as whoever tells it may."""

from datetime import datetime

from experience_runtime.domain.visitor_events import VisitorEvent
from experience_runtime.domain.visitors import Visitor
from experience_runtime.engine.scheduler import Scheduler
from experience_runtime.engine.sites import Kind, acting_site
from experience_runtime.engine.stores import Store
from experience_runtime.measured import hearer


def remember(store: Store, visitor: Visitor, *, now: datetime) -> None:
    """Keep what is known of a visitor; of one more than a site's key may bring in a day, nothing is."""
    site = acting_site()
    is_new = site is not None and visitor.id is not None and store.visitor(visitor.id) is None
    if site is None or not is_new or site.take(Kind.VISITOR):
        store.remember_visitor(visitor, now=now)


def receive(
    store: Store, scheduler: Scheduler, event: VisitorEvent, *, stated_at: datetime | None
) -> list[str] | None:
    """Keep an event, and let one that is a conversion convert; the ids it cancelled, else None.

    RateLimited for one more than a site's key may tell of in a day; conversions are counted apart.
    """
    is_conversion, site = scheduler.is_conversion(event.type), acting_site()
    if site is None or site.take(Kind.EVENT):
        store.events.record(event)
        hearer().told("event")
    elif not is_conversion:
        site.require(Kind.EVENT)
    if not is_conversion:
        return None
    return convert(store, scheduler, event.visitor, event=event.type, at=stated_at)


def convert(
    store: Store,
    scheduler: Scheduler,
    visitor: str,
    *,
    event: str | None = None,
    at: datetime | None = None,
) -> list[str]:
    """See `Scheduler.convert`. RateLimited for one more than a site's key may tell of in a day, and only
    when nothing waits for it: a message to who has bought is worse than any number of rows."""
    site = acting_site()
    if site is not None and not site.take(Kind.CONVERSION) and not store.awaits_conversion(visitor):
        site.require(Kind.CONVERSION)
    cancelled = scheduler.convert(visitor, event=event, at=at)
    hearer().told("conversion")
    return cancelled


def identify(store: Store, visitor: str, person: str, *, now: datetime) -> list[str]:
    """Make two ids one person's; their ids. RateLimited for one more new pair than a site's key may bring in
    a day: each counts as a visitor."""
    site = acting_site()
    if site is not None and person not in store.ids_of_person(visitor):
        site.require(Kind.VISITOR)
    ids = store.identify(visitor, person, now=now)
    hearer().told("identification")
    return ids
