"""Kinds of settings: what an integration's own model of its settings is made of."""

from typing import Annotated

from pydantic import AfterValidator, SecretStr

from experience_runtime.domain.urls import require_header_name, require_header_value, require_web_address
from experience_runtime.domain.webhook_signatures import webhook_keys


def _web_address(value: SecretStr) -> SecretStr:
    # the file that a secret is mounted as often ends in a line break
    url = value.get_secret_value().strip()
    require_web_address(url)
    return SecretStr(url)


def _header_name(name: str) -> str:
    require_header_name(name)
    return name


def _header_value(value: SecretStr) -> SecretStr:
    text = value.get_secret_value().strip()
    require_header_value(text)
    return SecretStr(text)


def _require_webhook_secret(value: SecretStr) -> SecretStr:
    webhook_keys(value.get_secret_value())
    return value


SecretUrl = Annotated[SecretStr, AfterValidator(_web_address)]
"""A setting that holds a web address; masked wherever it is printed, `get_secret_value()` reads it."""

HeaderName = Annotated[str, AfterValidator(_header_name)]
"""A setting that is sent as the name of a header."""

SecretHeader = Annotated[SecretStr, AfterValidator(_header_value)]
"""A setting that is sent as the value of a header, or as a part of one; masked like SecretUrl."""

SigningSecret = Annotated[SecretStr, AfterValidator(_require_webhook_secret)]
"""A setting that `webhook_signature` signs with: `whsec_…`, or several, separated by blanks."""
