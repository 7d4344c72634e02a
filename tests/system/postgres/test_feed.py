"""State changes on a server: what is committed later comes later, whenever it was begun."""

import threading
from dataclasses import replace

from experience_runtime.store import rows
from experience_runtime.store.opening import open_postgres

from tests.support.executions import NOW, add, an_execution


def test_a_change_that_is_committed_late_is_told_to_who_has_read_on(address: str) -> None:
    first, second = open_postgres(address), open_postgres(address)
    begun, may_end = threading.Event(), threading.Event()
    late = replace(an_execution(1), payload='"late"')

    def act() -> None:
        first.database.execute("insert_execution", rows.values(late))  # answered: it has its number
        begun.set()
        assert may_end.wait(60)

    try:
        assert second.feed.begin("crm", now=NOW) == 0
        thread = threading.Thread(target=first.database.write, args=(act,))
        thread.start()
        assert begun.wait(60)
        add(second, an_execution(2))
        assert second.feed.arrange() == 1
        read = second.feed.after(0, limit=10)
        may_end.set()
        thread.join()
        assert second.feed.arrange() == 2

        rest = second.feed.after(read.position, limit=10)

        assert [each.execution.number for each in read.changes] == [2]
        assert [each.execution.number for each in rest.changes] == [1]
    finally:
        may_end.set()
        first.close()
        second.close()
