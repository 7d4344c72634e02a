"""/v1: how the variations of an experience did."""

from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel

from experience_runtime.documents.traffic import traffic_document
from experience_runtime.domain.access import Right
from experience_runtime.web.api.openapi import Name, answers
from experience_runtime.web.given import GivenRuntime
from experience_runtime.web.guard.access import Caller, needs
from experience_runtime.web.guard.problems import Document


class VariationTally(BaseModel):
    """`rate` is the share of the visitors who converted; `low` and `high` hold it with 95 % confidence."""

    variation: str
    visitors: int
    executions: int
    converted: int
    rate: float
    low: float
    high: float


class ShownTraffic(BaseModel):
    experience: str
    variations: list[VariationTally]


_EXAMPLE = {
    "experience": "reminder",
    "variations": [
        {
            "variation": "101",
            "visitors": 400,
            "executions": 390,
            "converted": 100,
            "rate": 0.25,
            "low": 0.210068,
            "high": 0.294672,
        }
    ],
}

router = APIRouter(prefix="/v1", tags=["experiences"])


@router.get(
    "/experiences/{name}/traffic", summary="Compare variations", responses=answers(ShownTraffic, _EXAMPLE)
)
def traffic(name: Name, runtime: GivenRuntime, _: Annotated[Caller, needs(Right.READ_RUNS)]) -> Document:
    """Visitors, executions and conversions of each variation. Scopes: author, operator, viewer."""
    return Document(traffic_document(name, runtime.store.exposures.tally(name)))
