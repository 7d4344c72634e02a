"""Queries of addresses: what a route does not read is refused, with the name that is meant."""

import inspect
from collections.abc import Iterator
from functools import cached_property

from fastapi import Request
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from pydantic import BaseModel

from experience_runtime.domain.errors import InvalidParameter
from experience_runtime.domain.values import nearest, shown


class ReadsQuery:
    """Marks what a dependency gives that reads the whole query itself, and refuses what it does not know."""


class KnownQuery:
    """What one route reads of the query of an address."""

    def __init__(self, route: APIRoute) -> None:
        self._route = route

    def require(self, request: Request) -> None:
        """Raise InvalidParameter for a name that the route does not read: it would change nothing, and
        whoever wrote it would believe that it did."""
        given = list(request.query_params)
        if not given or (known := self._names) is None:
            return
        for name in given:
            if name not in known:
                meant = nearest(name, sorted(known), cutoff=0.5)
                there = f"there are {', '.join(sorted(known))}" if known else "nothing is asked for here"
                hint = f"did you mean {meant}?" if meant else there
                raise InvalidParameter(f"query {shown(name)} is not known here; {hint}")

    @cached_property
    def _names(self) -> frozenset[str] | None:
        names: set[str] = set()
        for each in _all(self._route.dependant):
            returned = None if each.call is None else inspect.signature(each.call).return_annotation
            if isinstance(returned, type) and issubclass(returned, ReadsQuery):
                return None
            for field in each.query_params:
                kind = field.field_info.annotation
                if isinstance(kind, type) and issubclass(kind, BaseModel):
                    names |= {own.alias or name for name, own in kind.model_fields.items()}
                else:
                    names.add(field.alias)
        return frozenset(names)


def _all(dependant: Dependant) -> Iterator[Dependant]:
    yield dependant
    for inner in dependant.dependencies:
        yield from _all(inner)
