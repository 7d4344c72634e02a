"""Refusals as pages: what was asked for, why it is not done, in the product's own words."""

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from fastapi.routing import APIRoute

from experience_runtime.domain.errors import ExperienceError, InvalidParameter
from experience_runtime.web.guard.problems import status_of
from experience_runtime.web.pages.rendering import rendering_of


class HtmlRoute(APIRoute):
    """A route whose refusals are pages."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        original = super().get_route_handler()

        async def answer(request: Request) -> Response:
            try:
                return await original(request)
            except ExperienceError as error:
                return _page(request, error)
            except RequestValidationError:
                return _page(request, InvalidParameter("the form is not one of these pages; load it again"))

        return answer


def _page(request: Request, error: ExperienceError) -> Response:
    status = status_of(error)
    return rendering_of(request).page(
        request, "refused.html", here="", status=status, problem=error, code=status
    )
