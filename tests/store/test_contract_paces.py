"""What every store keeps of paces: each receiver has its own, and what is known of one is forgotten alone."""

from datetime import timedelta

from experience_runtime.domain.pace import FORGOTTEN_AFTER, Learned, Spoken
from experience_runtime.engine.stores import Store

from tests.support.executions import NOW

REFUSED = Learned(spoken=[Spoken(began_at=NOW, ended_at=NOW, refused=True, wait_seconds=1)])
LATER = NOW + FORGOTTEN_AFTER + timedelta(minutes=1)


def test_a_receiver_is_forgotten_alone(store: Store) -> None:
    receivers = [("sms", "a"), ("sms", "b"), ("mail", "a")]
    store.paces.learn(dict.fromkeys(receivers, REFUSED), {}, now=NOW)
    again = Learned(spoken=[Spoken(began_at=LATER, ended_at=LATER, refused=True, wait_seconds=1)])

    store.paces.learn({("sms", "b"): again}, {}, now=LATER)

    assert [(each.integration, each.key) for each in store.paces.all()] == [("sms", "b")]


def test_what_is_kept_of_a_pace_is_read_as_it_was(store: Store) -> None:
    learned = store.paces.learn({("sms", "a"): REFUSED, ("sms", ""): REFUSED}, {}, now=NOW)

    assert {(each.integration, each.key): each for each in store.paces.all()} == learned
