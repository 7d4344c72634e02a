"""Opening a run: what an experience is linked to, for whom it runs, and whether its files compile at all."""

from concurrent.futures import Executor
from dataclasses import replace

from experience_runtime.domain.clients import NO_CLIENT, Client
from experience_runtime.domain.errors import ScriptFault
from experience_runtime.domain.instants import from_ms
from experience_runtime.domain.visitors import Visitor, in_default_zone
from experience_runtime.engine.events import Events
from experience_runtime.engine.ports import Clock, Integrations
from experience_runtime.engine.scheduler import Scheduler
from experience_runtime.running.boot import Situation, boot
from experience_runtime.running.guest import Limits, Problem, Sandbox, Script
from experience_runtime.running.guest_calls import GuestCalls
from experience_runtime.running.problems import limit_problem, thrown_problem
from experience_runtime.running.run import CallNow, ExperienceRun
from experience_runtime.running.visitor_facts import with_history


def open_run(
    script: Script,
    situation: Situation,
    *,
    sandbox: Sandbox,
    scheduler: Scheduler,
    events: Events,
    integrations: Integrations,
    clock: Clock,
    call_now: CallNow,
    executor: Executor | None = None,
    limits: Limits | None = None,
    client: Client = NO_CLIENT,
) -> ExperienceRun:
    """Make a run that has not begun.

    `events` are the store's: what the visitor did before. A folder without `meta.qfns` is linked to every
    registered integration. `client` says for which bot and channel `App(…)` schedules; its user is the
    visitor.
    """
    limits = limits or Limits()
    script = script.for_visitor(situation.visitor.id)
    linked = script.experience.linked
    defaults = script.experience.meta.get("visitor")
    visitor = in_default_zone(situation.visitor, defaults if isinstance(defaults, dict) else {})
    run = ExperienceRun(
        sandbox=sandbox,
        script=script,
        situation=with_history(replace(situation, visitor=visitor), events, now=clock.now()),
        answers=GuestCalls(
            scheduler=scheduler.of_release(script.experience.release),
            visitor=visitor,
            experience=script.experience.name,
            linked=tuple(integrations.names()) if linked is None else linked,
            client=replace(client, user_id=visitor.id),
        ),
        clock=clock,
        limits=limits,
        call_now=call_now,
        executor=executor,
    )
    if (assigned := script.experience.assigned) is not None:
        run.report.write(clock.now(), "info", "traffic", f"the visitor gets {assigned}")
    return run


def check(script: Script, sandbox: Sandbox, limits: Limits | None = None) -> Problem | None:
    """Compile every file of an experience and run none; return the first problem."""
    limits = limits or Limits()
    guest = sandbox.open(limits)
    begin = boot(script, Situation(visitor=Visitor(id=None)), (), from_ms(0), limits, check_only=True)
    try:
        turn = guest.start(begin, deadline_seconds=limits.wall_seconds)
    except ScriptFault as fault:
        return Problem(code=fault.code, message=fault.message)
    finally:
        guest.close()
    if turn.limit is not None:
        return limit_problem(script, turn, limits)
    return None if turn.thrown is None else thrown_problem(script, turn.thrown)
