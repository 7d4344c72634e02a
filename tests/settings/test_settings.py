"""Flag, environment, file, default; references; and no secret where it could be read."""

import base64
import html
import ipaddress
import json
import re
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote, quote_plus

import pytest
from experience_runtime.domain.admission import Policy
from experience_runtime.domain.clients import Client
from experience_runtime.domain.errors import InvalidParameter
from experience_runtime.settings.load import Settings, load_settings
from experience_runtime.settings.serving import Served

URL = "https://hooks.slack.com/services/T000/B000/abcdefghijklmnopqrstuvwx"


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def from_toml(text: str, **environ: str) -> Settings:
    Path("experience.toml").write_text(text, encoding="utf-8")
    return load_settings(environ=environ)


def test_without_anything_there_are_defaults() -> None:
    assert load_settings(environ={}) == Settings()
    assert Settings().database == "sqlite:///experience.db"
    assert Settings().conversions == ("ecBasketTransactionSummary",)


def test_a_flag_wins_over_the_environment_over_the_file_over_the_default() -> None:
    text = 'database = "sqlite:///file.db"\nintegrations_dir = "of-file"\nconversions = ["a"]'
    environ = {
        "EXPERIENCE_DATABASE": "sqlite:///environment.db",
        "EXPERIENCE_INTEGRATIONS_DIR": "of-environment",
        "EXPERIENCE_CONVERSIONS": "b, c,",
    }

    file = from_toml(text)
    environment = from_toml(text, **environ)
    flag = load_settings(database="sqlite:///flag.db", integrations_dir=Path("of-flag"), environ=environ)

    assert (file.database, file.integrations_dir, file.conversions) == (
        "sqlite:///file.db",
        Path("of-file"),
        ("a",),
    )
    assert (environment.database, environment.integrations_dir, environment.conversions) == (
        "sqlite:///environment.db",
        Path("of-environment"),
        ("b", "c"),
    )
    assert (flag.database, flag.integrations_dir) == ("sqlite:///flag.db", Path("of-flag"))


def test_the_file_is_chosen_by_flag_then_variable_then_name() -> None:
    for name in ("experience", "variable", "flag"):
        Path(f"{name}.toml").write_text(f'database = "sqlite:///{name}.db"')
    environ = {"EXPERIENCE_CONFIG": "variable.toml"}

    assert load_settings(environ={}).database == "sqlite:///experience.db"
    assert load_settings(environ=environ).database == "sqlite:///variable.db"
    assert load_settings(config=Path("flag.toml"), environ=environ).database == "sqlite:///flag.db"
    assert load_settings(environ=environ).config == Path("variable.toml")


def test_the_integrations_folder_has_a_second_name() -> None:
    assert load_settings(environ={"EXPERIENCE_INTEGRATIONS": "mine"}).integrations_dir == Path("mine")


def test_an_empty_variable_counts_as_not_set() -> None:
    environ = {"EXPERIENCE_DATABASE": "", "EXPERIENCE_CONVERSIONS": "", "EXPERIENCE_CONFIG": ""}

    assert load_settings(environ=environ) == Settings()


def test_a_file_that_was_named_must_exist() -> None:
    with pytest.raises(InvalidParameter, match=r"none\.toml.*--config"):
        load_settings(config=Path("none.toml"), environ={})


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('conversion = ["x"]', ["experience.toml", '"conversion"', 'did you mean "conversions"']),
        ("zebra = 1", ['"zebra"', "known are: database"]),
        ('[outbound]\nallow_privat = ["x"]', ['"outbound.allow_privat"', '"outbound.allow_private"']),
        ("database = 5", ["experience.toml", "database = 5", 'write database = "…"']),
        ('database = ""', ['database = ""']),
        ('conversions = "x"', ['conversions = "x"', 'write conversions = ["…"]']),
        ("conversions = [1]", ["conversions = [1]"]),
        ("integrations_dir = true", ["integrations_dir = true"]),
        ('[outbound]\nallow_private = "x"', ["outbound.allow_private", 'write allow_private = ["…"]']),
        ('[outbound]\nallow_private = ["127.0.0.1/8"]', ['"127.0.0.1/8"', 'write "127.0.0.0/8"']),
        ('[outbound]\nallow_private = ["local"]', ['"local"', "127.0.0.1/32"]),
        ("database = \n", ["experience.toml is not TOML", "line 1"]),
        ('outbound = "SECRET"', ["outbound is a str", "[outbound]"]),
        ('integrations = "SECRET"', ["integrations is a str"]),
        ('[integrations]\nwebhook = "SECRET"', ["integrations.webhook is a str", "[integrations.webhook]"]),
        ('[integrations.webhook]\nurl = "env:SECRET VALUE"', ["integrations.webhook.url", "env:NAME"]),
        ('[integrations."a.b"]\nurl = "SECRET"', ['"a.b"', "dot"]),
        ('url = "SECRET"', ['"url"']),
        ('database = "env:DATABASE_URL"', ["DATABASE_URL", "not set"]),
        ("[serve]\nper_secnd = 1", ['"serve.per_secnd"', 'did you mean "per_second"']),
        ('allow_private = ["10.0.0.0/8"]', ['"allow_private" is not a setting; write it below [outbound]']),
        ('public_url = "https://a.example"', ['"public_url" is not a setting; write it below [serve]']),
        (
            "[serve]\nport = 80",
            ['"serve.port" is not a setting; it is an option of the command: experience serve'],
        ),
        ("[serve]\nper_second = -1", ["serve.per_second = -1", "from 0 to"]),
        ("[serve]\nlargest_body_kib = true", ["serve.largest_body_kib = true"]),
        ("[serve]\ndrafts = 1", ["serve.drafts = 1", 'drafts = "experiences"']),
        ('[experiences]\n"a b" = "x"', ["a b", "letters, digits"]),
        ("[experiences]\nreminder = 1", ["experiences.reminder = 1", 'reminder = "folder"']),
        ('[integrations.webhook]\nsite = "yes"', ["integrations.webhook.site", "site = true"]),
    ],
)
def test_a_mistake_in_the_file_is_named_with_its_fix(text: str, says: list[str]) -> None:
    with pytest.raises(InvalidParameter) as caught:
        from_toml(text)

    for part in says:
        assert part in str(caught.value)
    assert "SECRET" not in str(caught.value)


def test_a_file_that_is_not_text_is_refused() -> None:
    Path("experience.toml").write_bytes(b"\xff\xfe")

    with pytest.raises(InvalidParameter, match="not UTF-8"):
        load_settings(environ={})


def test_networks_come_from_the_file_or_the_environment() -> None:
    text = '[outbound]\nallow_private = ["127.0.0.1/32", "::1"]'

    file = from_toml(text)
    environment = from_toml(text, EXPERIENCE_OUTBOUND_ALLOW_PRIVATE="10.0.0.0/8")

    assert file.allow_private == (ipaddress.ip_network("127.0.0.1/32"), ipaddress.ip_network("::1/128"))
    assert environment.allow_private == (ipaddress.ip_network("10.0.0.0/8"),)


def test_a_reference_is_resolved_at_every_depth() -> None:
    settings = from_toml(
        '[integrations.webhook]\nurl = "env:URL"\nretries = 3\n'
        'headers = {authorization = "env:TOKEN", x = "plain"}\nlist = ["env:URL", "env:NONE"]',
        URL=URL,
        TOKEN="token-of-the-webhook",
    )

    assert settings.integration("webhook") == {
        "url": URL,
        "retries": 3,
        "headers": {"authorization": "token-of-the-webhook", "x": "plain"},
        "list": [URL],
    }
    assert {at: each.variable for at, each in settings.missing_of("webhook").items()} == {"list[1]": "NONE"}


def test_a_reference_to_nothing_is_not_set_and_remembered() -> None:
    settings = from_toml('[integrations.slack-update]\nurl = "env:SLACK_WEBHOOK_URL"', SLACK_WEBHOOK_URL="")

    assert settings.integration("slack-update") == {}
    assert settings.missing_of("slack-update")["url"].variable == "SLACK_WEBHOOK_URL"
    assert settings.missing_of("webhook") == {}


def test_an_integration_is_set_by_environment() -> None:
    settings = from_toml(
        '[integrations.slack-update]\nurl = "https://old.example/"\nkept = 1',
        EXPERIENCE_INTEGRATION__SLACK_UPDATE__URL="env:OTHER",
        OTHER=URL,
        EXPERIENCE_INTEGRATION__WEBHOOK__HEADERS__AUTHORIZATION="token",
    )

    assert settings.integration("slack-update") == {"url": URL, "kept": 1}
    assert settings.integration("webhook") == {"headers": {"authorization": "token"}}


@pytest.mark.parametrize("name", ["my_sms", "my-sms", "My_SMS"])
def test_a_name_from_the_environment_fits_dashes_underscores_and_capitals(name: str) -> None:
    settings = load_settings(environ={"EXPERIENCE_INTEGRATION__MY_SMS__URL": "x"})

    assert settings.integration(name) == {"url": "x"}


@pytest.mark.parametrize("name", ["", "SLACK", "__URL", "SLACK__", "SLACK__A____B"])
def test_a_variable_without_a_setting_is_refused(name: str) -> None:
    with pytest.raises(InvalidParameter, match="EXPERIENCE_INTEGRATION__SLACK_UPDATE__URL") as caught:
        load_settings(environ={f"EXPERIENCE_INTEGRATION__{name}": "SECRET"})

    assert "SECRET" not in str(caught.value)


# Secrets


def test_the_repr_shows_no_secret() -> None:
    settings = from_toml(
        f'database = "postgresql://ann:pa55@db/x?password=pa55"\n[integrations.slack-update]\nurl = "{URL}"'
    )

    shown = repr(settings) + str(settings)

    assert "slack-update" in shown
    assert "abcdefghij" not in shown
    assert "pa55" not in shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (f"POST {URL} failed", "POST [redacted] failed"),
        ("no route /services/T000/B000/abcdefghijklmnopqrstuvwx here", "no route [redacted] here"),
        (r'{"path":"\/services\/T000\/B000\/abcdefghijklmnopqrstuvwx"}', '{"path":"[redacted]"}'),
        ("token abcdefghijklmnopqrstuvwx", "token [redacted]"),
        ("key=k3y-in-the-query", "[redacted]"),
        ("it was k3y-in-the-query", "it was [redacted]"),
        ("it was k3y%2Fslash and k3y/slash", "it was [redacted] and [redacted]"),
        ("Bearer tok-123456", "[redacted]"),
        ("GET https://a.example/x?token=of-a-payload failed", "GET https://a.example/x?… failed"),
        (r'{"url":"https:\/\/a.example\/x?a=b\/c"}', r'{"url":"https:\/\/a.example\/x?…"}'),
        ("'http://ann:hers@a.example' and b?", "'http://…@a.example' and b?"),
        ("ok", "ok"),  # a setting of two letters stands everywhere
        ("password pa55word", "password [redacted]"),
        ("nothing", "nothing"),
    ],
)
def test_redact_removes_every_form_of_a_secret(text: str, shown: str) -> None:
    settings = from_toml(
        'database = "postgresql://ann:pa55word@db/x"\n'
        f'[integrations.slack-update]\nurl = "{URL}"\n'
        '[integrations.webhook]\nurl = "https://example.com/?key=k3y-in-the-query"\nshort = "ok"\n'
        'slash = "k3y/slash"\nheaders = {authorization = "env:TOKEN"}',
        TOKEN="Bearer tok-123456",
    )

    assert settings.redact(text) == shown


@pytest.mark.parametrize(
    ("told", "shown"),
    [
        ("bad token sk-live-abcdef0123456789", "bad token [redacted]"),
        ("bad token dXNlcjpwYXNzd29yZA==", "bad token [redacted]"),
        ("one is whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "one is [redacted]"),
        ("one is BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBB", "one is [redacted]"),
        ("from a file: mounted-1", "from a file: [redacted]"),
        ('as JSON: {"was": "pä\\"ss-wörd"}', 'as JSON: {"was": "[redacted]"}'),
        ("channels: a-s3cret", "channels: [redacted]"),
        ("channels: hunter2", "channels: [redacted]"),
        ("channels: correcthorse", "channels: [redacted]"),
    ],
)
def test_a_part_of_a_secret_that_is_one_by_itself_is_redacted(told: str, shown: str) -> None:
    settings = from_toml(
        """[integrations.webhook]
        headers = { authorization = "Bearer sk-live-abcdef0123456789", other = "Basic dXNlcjpwYXNzd29yZA==" }
        secret = "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA whsec_BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBB"
        file = "mounted-1\\n"
        quoted = 'pä"ss-wörd'
        channels = ["env:CHANNEL", "hunter2"]
        tokens = ["correcthorse"]
        """,
        CHANNEL="a-s3cret",
    )

    assert settings.redact(told) == shown


def test_plain_words_in_a_list_are_shown() -> None:
    settings = from_toml('[integrations.broadcast]\nchannels = ["messenger", "web-chat"]')

    assert settings.redact("those that can: messenger, web-chat") == "those that can: messenger, web-chat"


PASSWORD = 'pä/ss+"w&rd-1'


@pytest.mark.parametrize("before", ["", "u", "us", "user:"])
@pytest.mark.parametrize("encode", [base64.b64encode, base64.urlsafe_b64encode])
def test_a_secret_in_base64_is_redacted_wherever_it_begins(
    before: str, encode: Callable[[bytes], bytes]
) -> None:
    settings = from_toml("[integrations.webhook]\npassword = 'env:PASSWORD'", PASSWORD=PASSWORD)
    encoded = encode(f"{before}{PASSWORD} and more".encode()).decode()

    for told in (encoded, quote(encoded, safe=""), encoded.replace("/", "\\/")):
        assert "[redacted]" in settings.redact(f"Authorization: Basic {told}")
    kept, _, rest = settings.redact(encoded).partition("[redacted]")
    assert kept == encoded[: -(-len(before) * 8 // 6)]  # with at most the bits of its own first digit
    assert len(rest.rstrip("=")) <= len(encode(b" and more")) + 1


@pytest.mark.parametrize(
    "encoded",
    [
        quote(PASSWORD, safe=""),
        quote(PASSWORD, safe="").lower(),
        quote_plus(PASSWORD),
        json.dumps(PASSWORD)[1:-1],
        json.dumps(PASSWORD, ensure_ascii=False)[1:-1].replace("/", "\\/"),
        html.escape(PASSWORD),
        PASSWORD.encode().hex(),
        PASSWORD.encode().hex().upper(),
    ],
)
def test_a_secret_is_redacted_as_receivers_encode_it(encoded: str) -> None:
    settings = from_toml("[integrations.webhook]\npassword = 'env:PASSWORD'", PASSWORD=PASSWORD)

    assert settings.redact(f"it was {encoded}") == "it was [redacted]"


def test_a_word_that_is_a_secret_elsewhere_is_redacted() -> None:
    settings = from_toml('[integrations.broadcast]\nchannels = ["messenger"]\napi_key = "messenger"')

    assert settings.redact("messenger") == "[redacted]"


def test_a_secret_that_begins_with_another_goes_whole() -> None:
    settings = from_toml('[integrations.webhook]\na = "secret"\nb = "secret-and-more"')

    assert settings.redact("secret-and-more") == "[redacted]"


def test_without_secrets_nothing_is_redacted() -> None:
    assert Settings().redact("text") == "text"


def test_the_client_of_app_is_read() -> None:
    settings = from_toml('[csml]\nclient = { bot_id = "bot", user_id = "anna" }')

    assert settings.client == Client(bot_id="bot", user_id="anna")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[csml]\nclients = {}", 'did you mean "csml.client"'),
        ('[csml]\nclient = "anna"', "csml.client is a str"),
        ('[csml]\nclient = { user = "anna" }', 'did you mean "csml.client.user_id"'),
        ('[csml]\nclient = { zebra = "anna" }', "known are: bot_id, channel_id, user_id"),
        ("[csml]\nclient = { user_id = 5 }", "csml.client.user_id 5 is not a string"),
    ],
)
def test_a_client_that_is_none_is_refused_with_its_place(text: str, told: str) -> None:
    with pytest.raises(InvalidParameter, match=re.escape(told)):
        from_toml(text)


def test_events_have_no_circuit_breaker_unless_it_is_asked_for() -> None:
    assert from_toml("").policies().get("event-webhook", None) == Policy(breaker_failures=0)
    asked = from_toml("[delivery.event_webhook]\nbreaker_failures = 7").policies()
    assert asked.get("event-webhook", None) == Policy(breaker_failures=7)


def test_what_is_served_stands_in_its_own_tables() -> None:
    settings = from_toml(
        '[serve]\ndrafts = "drafts"\nper_second = 7\nlargest_body_kib = 9\n[experiences]\nreminder = "a/b"'
    )

    assert settings.served == Served(
        released={"reminder": Path("a/b")}, drafts=Path("drafts"), per_second=7, largest_body_kib=9
    )


def test_the_mark_for_sites_is_no_setting_of_the_integration() -> None:
    settings = from_toml(
        "[integrations.slack_update]\nsite = true\n[integrations.webhook]\nsite = false\nretries = 1",
        EXPERIENCE_INTEGRATION__SMS__SITE="true",
    )

    assert settings.integration("slack-update") == {}
    assert settings.integration("webhook") == {"retries": 1}
    marked = [name for name in ("Slack-Update", "sms", "webhook", "other") if settings.is_for_sites(name)]
    assert marked == ["Slack-Update", "sms"]
