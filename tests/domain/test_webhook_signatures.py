"""Signatures: what is signed is what is sent, to the byte."""

import pytest
from experience_runtime.domain.webhook_signatures import webhook_signature

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


@pytest.mark.parametrize("body", [b' {"a":1}', b'{"a":1} ', b'{"a":1}\n', b"\x00{}", b""])
def test_every_byte_of_the_body_is_signed(body: bytes) -> None:
    def signature(of: bytes) -> str:
        return webhook_signature(SECRET, message_id="ex_1", timestamp_seconds=1_614_265_330, body=of)

    others = {signature(other) for other in (body.strip(), body + b" ", b" " + body) if other != body}

    assert signature(body) == signature(bytes(body))
    assert signature(body) not in others
