"""Given: what a handler asks for beside its request. `make_web` puts each on the application's state."""

from collections.abc import Callable
from typing import Annotated

from fastapi import Depends, Request

from experience_runtime.runtime import Runtime
from experience_runtime.web.api.jobs import Jobs
from experience_runtime.web.guard.limits import AtOnce
from experience_runtime.web.metrics import Metrics
from experience_runtime.web.running import Runs
from experience_runtime.web.simulations import Simulations

# `async`, all of them: FastAPI would run a plain function on a thread of its own


async def _runtime(request: Request) -> Runtime:
    runtime = request.app.state.runtime
    assert isinstance(runtime, Runtime)
    return runtime


async def _jobs(request: Request) -> Jobs:
    jobs = request.app.state.jobs
    assert isinstance(jobs, Jobs)
    return jobs


async def _metrics(request: Request) -> Metrics:
    metrics = request.app.state.metrics
    assert isinstance(metrics, Metrics)
    return metrics


async def _at_once(request: Request) -> AtOnce:
    at_once = request.app.state.at_once
    assert isinstance(at_once, AtOnce)
    return at_once


async def _runs(request: Request) -> Runs:
    runs = request.app.state.runs
    assert isinstance(runs, Runs)
    return runs


async def _simulations(request: Request) -> Simulations:
    simulations = request.app.state.simulations
    assert isinstance(simulations, Simulations)
    return simulations


async def _is_delivered(request: Request) -> Callable[[], bool]:
    is_delivered: Callable[[], bool] = request.app.state.is_delivered
    return is_delivered


GivenRuntime = Annotated[Runtime, Depends(_runtime)]
GivenJobs = Annotated[Jobs, Depends(_jobs)]
GivenMetrics = Annotated[Metrics, Depends(_metrics)]
GivenAtOnce = Annotated[AtOnce, Depends(_at_once)]
GivenRuns = Annotated[Runs, Depends(_runs)]
GivenSimulations = Annotated[Simulations, Depends(_simulations)]
GivenIsDelivered = Annotated[Callable[[], bool], Depends(_is_delivered)]
