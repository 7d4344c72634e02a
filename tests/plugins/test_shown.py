"""What may be shown of an address."""

import pytest
from experience_runtime.plugins.http import origin


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://ann:pw@hooks.slack.com/services/T/B/SECRET?x=1", "https://hooks.slack.com/…"),
        ("https://ann:pw@Example.com:8443/a?token=x#y", "https://example.com:8443/…"),
        ("http://[::1]:80/a#frag", "http://[::1]:80/…"),
        ("https://example.com?x", "https://example.com/…"),
        ("https://example.com:x/secret", "[not a URL]"),
        ("secret", "[not a URL]"),
        ("http://[secret/", "[not a URL]"),
        ("", "[not a URL]"),
    ],
)
def test_an_error_text_shows_the_origin_only(url: str, shown: str) -> None:
    assert origin(url) == shown
