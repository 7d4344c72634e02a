"""Answers: what a 2xx is that no service gives, so that nothing counts as sent that nobody took."""

from experience_runtime.integration import Answer


def is_web_page(answer: Answer) -> bool:
    """Whether somebody else answered: a sign-in page, a proxy, or another site than the url should name."""
    return answer.text.lstrip("\ufeff \t\r\n")[:1] == "<"
