"""The worker of a runtime, and whether anybody delivers from its database."""

from experience_runtime import __version__
from experience_runtime.engine.fleet import Fleet
from experience_runtime.engine.pruning import Pruner
from experience_runtime.engine.worker import Worker
from experience_runtime.runtime import Runtime
from experience_runtime.store.sqlite.lock import FileLock


def make_worker(runtime: Runtime) -> Worker:
    """The worker of a runtime: the only one on a file, one of a fleet on a server."""
    runtime.require_settings()
    runtime.integrations.load_all()  # what is broken must be known before anything is claimed
    return Worker(
        runtime.dispatcher,
        runtime.store,
        runtime.clock,
        recurring=runtime.recurring,
        pruner=Pruner(
            runtime.store.pruning, runtime.clock, runtime.settings.retention, feed=runtime.store.feed
        ),
        lock=None if runtime.is_shared else FileLock(runtime.database_path),
        fleet=Fleet(
            workers=runtime.store.workers,
            clock=runtime.clock,
            version=__version__,
            concurrency=runtime.concurrency,
            integrations=runtime.only,
            policies=runtime.delivery_policies,
            stops_for_skew=runtime.is_shared,
        ),
    )


def is_delivered(runtime: Runtime) -> bool:
    """Whether some process delivers from this runtime's database now, this one or another."""
    if not runtime.is_shared and not FileLock(runtime.database_path).is_held():
        return False
    now = runtime.clock.now()
    # also where the lock is held: a worker that is frozen holds it too
    return any(each.is_there(now) for each in runtime.store.workers.all())
