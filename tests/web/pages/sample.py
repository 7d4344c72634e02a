"""A shop's last two days and next weeks, in a real store: what the pages show in tests and in pictures."""

import random
from datetime import datetime, timedelta
from pathlib import Path

from experience_runtime.clocks import VirtualClock
from experience_runtime.domain.visitor_events import VisitorEvent
from experience_runtime.domain.visitors import Visitor
from experience_runtime.engine.delivery import InlineDelivery
from experience_runtime.engine.dispatcher import Dispatcher
from experience_runtime.engine.recurring import Recurring
from experience_runtime.engine.scheduler import Scheduler
from experience_runtime.runtime import Runtime
from experience_runtime.settings.load import load_settings
from experience_runtime.simulation.expected import ScriptedAnswer
from experience_runtime.simulation.scripted import NoHttp, Played

SECRET = "sk-sample-5ecret-0001"
CONFIG = f"""
conversions = ["ecBasketTransactionSummary"]
integrations_dir = "integrations"

[serve]
drafts = "experiences"
per_second = 0

[integrations.email-offer]
api_key = "{SECRET}"

[integrations.slack-update]
url = "https://hooks.example.com/services/T0SAMPLE/B0SAMPLE"

[delivery.send-sms]
per_second = 5
"""
INTEGRATIONS = """
from experience_runtime.integration import Integration
from pydantic import BaseModel


class Key(BaseModel):
    api_key: str
    sender: str = ""


class Email(Integration):
    name = "email-offer"
    settings = Key

    def call(self, payload, context):
        return {"accepted": True}


class Sms(Integration):
    name = "send-sms"

    def call(self, payload, context):
        return {"sent": True}


class Crm(Integration):
    name = "update-crm"

    def call(self, payload, context):
        return {"ok": True}
"""
REMINDER = """// Reminds a visitor of a basket they left behind, in their own working hours.
module.exports = function variation (options) {
  const slack = options.integration('slack-update')

  options.uv.on('ecBasketItem', event => options.log.info(`one more item: ${event.name}`))

  return slack.schedule({ message: 'A basket is waiting' }, {
    key: { reminder: 'basket' },
    delay: '2 hours',
    window: { day: 'monday-friday', time: '09:00-17:00' },
    cancelOnConversion: true
  }).then(execution => options.log.info(`planned for ${execution.time}`))
}
"""
_ANSWERS = (200, 503, 200, 410, 503, 503, 200, 200, 410, 200, 200)
ZONES = ("Europe/Paris", "America/New_York", "Asia/Tokyo", "Europe/London", "America/Sao_Paulo")


def make_folder(folder: Path) -> None:
    """Write the settings, the integrations and one experience."""
    for name, text in (
        ("experience.toml", CONFIG),
        ("integrations/shop.py", INTEGRATIONS),
        ("experiences/basket-reminder/variation.js", REMINDER),
    ):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def open_runtime(folder: Path) -> Runtime:
    """The shop's application; relative folders are read from `folder`, so make it the current one."""
    return Runtime(
        load_settings(
            config=folder / "experience.toml",
            database=f"sqlite:///{folder / 'experience.db'}",
            integrations_dir=folder / "integrations",
            environ={},
        )
    )


def fill(runtime: Runtime, now: datetime) -> None:
    """Live through the two days before `now`, with the same seed every time."""
    clock, chance = VirtualClock(now - timedelta(days=2)), random.Random(7)
    scheduler = Scheduler(
        store=runtime.store,
        clock=clock,
        integrations=runtime.integrations,
        conversions=runtime.settings.conversions,
        source=random.Random(7),
    )
    dispatcher = Dispatcher(
        store=runtime.store,
        clock=clock,
        integrations=Played(
            runtime.integrations,
            {"send-sms": [ScriptedAnswer(status=each) for each in _ANSWERS]},
            runtime.store,
        ),
        http=NoHttp(),
        delivery=InlineDelivery(),
        random=random.Random(7),
    )
    recurring = Recurring(
        store=runtime.store.schedules, clock=clock, integrations=runtime.integrations, source=random.Random(8)
    )
    recurring.set(
        "daily-digest",
        "slack-update",
        {"message": "The day's figures"},
        {"weekly": "monday,tuesday,wednesday,thursday,friday 09:00", "timezone": "Europe/Paris"},
    )
    recurring.set(
        "stock-levels", "update-crm", {"list": "stock"}, {"every": "6 hours", "timezone": "Europe/London"}
    )

    def until(at: datetime) -> None:
        while wakes := [
            each for each in (dispatcher.next_wake(), recurring.next_at()) if each and each <= at
        ]:
            clock.advance_to(max(min(wakes), clock.now()))
            recurring.fire_due()
            dispatcher.run_due()
        clock.advance_to(at)

    for index in range(30):
        until(now - timedelta(hours=47 - index * 1.55))
        visitor = Visitor(id=f"visitor-{1000 + index * 37 % 900}", timezone=ZONES[index % len(ZONES)])
        runtime.store.remember_visitor(visitor, now=clock.now())
        runtime.store.events.record(
            VisitorEvent(
                visitor=str(visitor.id),
                type="ecView",
                data='{"type": "basket"}',
                at=clock.now(),
                received_at=clock.now(),
            )
        )
        scheduler.schedule(
            "email-offer",
            {"template": "basket", "items": 1 + index % 4},
            {
                "key": {"reminder": "basket"},
                "delay": f"{3 + chance.randrange(60)} hours",
                "window": {"day": "monday-friday", "time": "09:00-17:00"},
                "cancelOnConversion": True,
            },
            visitor=visitor,
            experience="basket-reminder",
        )
        if index % 3 == 0:
            scheduler.schedule(
                "send-sms",
                {"to": "+15550100", "text": "Your order is on its way"},
                {"delay": "20 minutes", "key": {"order": index}},
                visitor=visitor,
                experience="order-messages",
            )
        if index % 7 == 3:
            until(clock.now() + timedelta(minutes=25))
            scheduler.convert(str(visitor.id))
    until(now)


def due_later(runtime: Runtime) -> None:
    """A few more that are due within the month, so that something is always pending."""
    for index, delay in enumerate(("8 minutes", "50 minutes", "5 hours", "3 days", "12 days", "29 days")):
        runtime.scheduler.schedule(
            "update-crm",
            {"segment": "lapsed", "batch": index},
            {"delay": delay, "key": {"batch": index}},
            visitor=Visitor(id=f"visitor-{2000 + index}", timezone=ZONES[index % len(ZONES)]),
            experience="win-back",
        )
