"""What may be shown of an address."""

import pytest
from experience_runtime.plugins.http import origin, redact_url


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://Example.com/hooks/1", "https://example.com/hooks/1"),
        ("https://ann:pw@example.com:8443/a?token=x#y", "https://example.com:8443/a?…"),
        ("http://[::1]:80/a#frag", "http://[::1]:80/a"),
        ("https://example.com?x", "https://example.com?…"),
        ("https://example.com:x/secret", "[not a URL]"),
        ("secret", "[not a URL]"),
        ("http://[secret/", "[not a URL]"),
        ("", "[not a URL]"),
    ],
)
def test_redact_url_drops_userinfo_query_and_fragment(url: str, shown: str) -> None:
    assert redact_url(url) == shown


def test_an_error_text_shows_the_origin_only() -> None:
    assert origin("https://ann:pw@hooks.slack.com/services/T/B/SECRET?x=1") == "https://hooks.slack.com/…"
