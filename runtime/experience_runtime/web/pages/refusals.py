"""Refusals as pages: what was asked for, why it is not done, in the product's own words."""

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from fastapi.routing import APIRoute

from experience_runtime.domain.errors import ExperienceError, InvalidParameter
from experience_runtime.measured import hearer
from experience_runtime.web.guard.problems import Told, told_of
from experience_runtime.web.guard.queries import KnownQuery
from experience_runtime.web.pages.rendering import rendering_of


class HtmlRoute(APIRoute):
    """A route whose refusals are pages."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        original = super().get_route_handler()
        known = KnownQuery(self)

        async def answer(request: Request) -> Response:
            try:
                response = await original(request)
                if request.method == "GET":  # afterwards: who may not look is told that first
                    known.require(request)
                return response
            except ExperienceError as error:
                return page_of(request, told_of(request, error))
            except RequestValidationError:
                odd = InvalidParameter("the form is not one of these pages; load it again")
                try:
                    known.require(request)
                except InvalidParameter as named:
                    odd = named
                return page_of(request, told_of(request, odd))

        return answer


def page_of(request: Request, told: Told) -> Response:
    """The page of a refusal."""
    hearer().refused_request(told.code)
    answer = rendering_of(request).page(
        request, "refused.html", here="", status=told.status, problem=told, code=told.status
    )
    answer.headers.update(told.headers)
    return answer
