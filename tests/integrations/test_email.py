"""email against a real SMTP server: what it gets, what its answers mean, and what is never sent."""

import asyncio
import contextlib
import email
import email.policy
import logging
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from experience_integrations import email as module
from experience_integrations.email import Email, Mail, Settings
from experience_runtime.domain.errors import BlockedAddress, InvalidPayload
from experience_runtime.integration import IntegrationFailed
from experience_runtime.plugins.http import Outbound
from experience_runtime.plugins.registry import Registry
from experience_runtime.settings.load import Settings as AllSettings
from experience_runtime.testing import check_integration
from pydantic import ValidationError

from tests.support.certificates import CERTIFICATE, KEY
from tests.support.raw_servers import LOOPBACK, NOW, Handler, RawServer, drips

from .conftest import context_for

MAIL = {"to": "ann@example.com", "subject": "Your basket", "text": "Hello!"}
REFUSED_BY = {"never": "550 5.1.1 no such user", "later": "451 4.7.1 greylisted"}


class Inbox:
    """A mail server's handler that keeps what it takes."""

    def __init__(self) -> None:
        self.taken: list[Envelope] = []

    async def handle_RCPT(
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        envelope.rcpt_tos.append(address)
        return REFUSED_BY.get(address.partition("@")[0], "250 OK")

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        assert session.ssl is not None or not server.require_starttls
        self.taken.append(envelope)
        return "554 5.6.0 spam" if b"spam" in (envelope.original_content or b"") else "250 OK"

    def mail(self) -> EmailMessage:
        (envelope,) = self.taken
        message = email.message_from_bytes(envelope.original_content or b"", policy=email.policy.default)
        assert isinstance(message, EmailMessage)
        return message


class MailServer:
    """A mail server on a free port of this machine."""

    def __init__(self, *, secure: ssl.SSLContext | None = None, **about: Any) -> None:
        self.inbox = Inbox()
        self.port = 0
        ready = threading.Event()
        self._thread = threading.Thread(target=asyncio.run, args=(self._serve(ready, secure, about),))
        self._thread.start()
        ready.wait()

    async def _serve(self, ready: threading.Event, secure: ssl.SSLContext | None, about: Any) -> None:
        self._loop, self._over = asyncio.get_running_loop(), asyncio.Event()
        server = await self._loop.create_server(
            lambda: SMTP(self.inbox, hostname="localhost", loop=self._loop, **about),
            "127.0.0.1",
            0,
            ssl=secure,
        )
        self.port = server.sockets[0].getsockname()[1]
        ready.set()
        await self._over.wait()
        server.close()

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._over.set)
        self._thread.join()


def logged_in(_server: Any, _session: Any, _envelope: Any, _mechanism: str, data: Any) -> AuthResult:
    good = isinstance(data, LoginPassword) and (data.login, data.password) == (b"shop", b"pa55word")
    return AuthResult(success=good, handled=False, message=None if good else "535 5.7.8 no")


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("certificates")
    (folder / "both.pem").write_text(CERTIFICATE + KEY)
    (folder / "ca.pem").write_text(CERTIFICATE)
    return folder


@pytest.fixture(scope="module")
def servers(files: Path) -> Iterator[dict[str, MailServer]]:
    """One server of each security."""
    trusted = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trusted.load_cert_chain(files / "both.pem")
    logging.getLogger("mail.log").setLevel(logging.CRITICAL)
    started = {
        "starttls": MailServer(
            tls_context=trusted, require_starttls=True, authenticator=logged_in, auth_required=True
        ),
        "tls": MailServer(secure=trusted),
        "none": MailServer(),
    }
    yield started
    for each in started.values():
        each.close()


@pytest.fixture
def outbound() -> Iterator[Outbound]:
    made = Outbound(now=lambda: NOW, allow_private=LOOPBACK)
    yield made
    made.close()


@pytest.fixture
def send(servers: dict[str, MailServer], files: Path, outbound: Outbound) -> Callable[..., tuple[Any, Inbox]]:
    """Send a mail by one of the servers: what the call gave, and what the server has."""

    def send(payload: dict[str, Any] | None = None, by: str = "starttls", **table: Any) -> tuple[Any, Inbox]:
        inbox = servers[by].inbox
        inbox.taken.clear()
        about = {"host": "localhost", "port": servers[by].port, "sender": "Shop ß <shop@example.org>",
                 "security": by, "ca_file": str(files / "ca.pem")}  # fmt: skip
        login = {"user": "shop", "password": "pa55word"} if by == "starttls" else {}
        settings = Settings.model_validate({**about, **login, **table})
        mail = Registry(AllSettings()).parse_payload("email", payload or MAIL)
        return Email().call(mail, context_for(settings, outbound)), inbox

    return send


@pytest.mark.parametrize("by", ["starttls", "tls", "none"])
def test_a_mail_arrives_with_the_execution_as_its_id(send: Callable[..., tuple[Any, Inbox]], by: str) -> None:
    payload = {
        "to": "Grete Ö, <grete@bücher.example>",
        "subject": "Grüße — 20 %",
        "text": "Hällo\n.\n..\nFrom x",
        "html": "<p>Hällo</p>",
        "reply_to": "help@example.org",
    }

    answer, inbox = send(payload, by)

    mail = inbox.mail()
    assert answer == {"message_id": "<ex_1@example.org>"}
    assert (inbox.taken[0].mail_from, inbox.taken[0].rcpt_tos) == (
        "shop@example.org",
        ["grete@xn--bcher-kva.example"],
    )
    assert {
        name: str(mail[name]) for name in ("Message-ID", "From", "To", "Subject", "Reply-To", "Date")
    } == {
        "Message-ID": "<ex_1@example.org>",
        "From": "Shop ß <shop@example.org>",
        "To": '"Grete Ö," <grete@xn--bcher-kva.example>',
        "Subject": "Grüße — 20 %",
        "Reply-To": "help@example.org",
        "Date": NOW.strftime("%a, %d %b %Y %H:%M:%S +0000"),
    }
    text, html = mail.get_body(("plain",)), mail.get_body(("html",))
    assert text is not None
    assert html is not None
    assert text.get_content().splitlines() == ["Hällo", ".", "..", "From x"]
    assert html.get_content().strip() == "<p>Hällo</p>"
    assert (inbox.taken[0].original_content or b"").isascii()


def test_a_mail_may_be_html_alone(send: Callable[..., tuple[Any, Inbox]]) -> None:
    _, inbox = send({"to": "ann@example.com", "subject": "Hi", "html": "<p>Hi</p>"})

    assert inbox.mail().get_content_type() == "text/html"


@pytest.mark.parametrize(
    ("payload", "table", "by", "may_pass", "says"),
    [
        ({"to": "never@example.com"}, {}, "starttls", False, "does not take the receiver: 550 5.1.1 no such"),
        ({"to": "later@example.com"}, {}, "starttls", True, "does not take the receiver: 451 4.7.1"),
        ({"text": "spam"}, {}, "starttls", False, "refused the mail: 554 5.6.0 spam"),
        ({}, {"password": "wrong-1"}, "starttls", False, "set them anew: 535"),
        ({}, {"user": None, "password": None}, "starttls", False, "530"),
        ({}, {"security": "starttls"}, "none", False, 'does not offer STARTTLS; use security = "tls"'),
        ({}, {"user": "u", "password": "p"}, "tls", False, "does not offer the login; leave user"),
        ({}, {"ca_file": None}, "starttls", True, "was not accepted: self"),
        ({}, {"ca_file": None}, "tls", True, "was not accepted: self"),
        ({}, {"host": "127.0.0.1"}, "tls", True, "was not accepted: IP address mismatch"),
        ({}, {"security": "tls"}, "none", True, "no secure connection"),
        ({}, {"port": 1}, "none", True, "no connection to localhost:1"),
    ],
)  # fmt: skip
def test_the_servers_answer_decides_whether_to_try_again(
    send: Callable[..., tuple[Any, Inbox]],
    payload: dict[str, Any],
    table: dict[str, Any],
    by: str,
    may_pass: bool,
    says: str,
) -> None:
    with pytest.raises(IntegrationFailed) as caught:
        send({**MAIL, **payload}, by, **table)

    assert says in caught.value.message
    assert caught.value.may_pass is may_pass
    assert "wrong-1" not in f"{caught.value.message} {caught.value.answer}"


def test_a_private_address_is_not_called(servers: dict[str, MailServer]) -> None:
    settings = Settings.model_validate(
        {"host": "127.0.0.1", "port": servers["none"].port, "security": "none", "sender": "a@example.org"}
    )
    guarded = Outbound(now=lambda: NOW)

    with pytest.raises(BlockedAddress):
        Email().call(Mail.model_validate(MAIL), context_for(settings, guarded))


def speaks(*answers: bytes, stalls: Handler) -> Handler:
    """A handler of a mail server: a greeting, an answer to each line, and then `stalls`."""

    def handler(connection: socket.socket, over: threading.Event) -> None:
        lines = connection.makefile("rb")
        for number, answer in enumerate(answers):
            if number:
                lines.readline()
            connection.sendall(answer)
        stalls(connection, over)

    return handler


def takes(then: Callable[[], None]) -> Handler:
    """A handler that takes a mail, hears QUIT, and answers it after `then`."""

    def ends(connection: socket.socket, _: threading.Event) -> None:
        lines = connection.makefile("rb")
        for line in lines:
            if line == b".\r\n":
                connection.sendall(b"250 taken\r\n")
            if line.lower() == b"quit\r\n":
                then()
                connection.sendall(b"221 bye\r\n")

    return speaks(b"220 a\r\n", b"250 a\r\n", b"250 from\r\n", b"250 to\r\n", b"354 go\r\n", stalls=ends)


@contextlib.contextmanager
def serving(handler: Handler) -> Iterator[Callable[[str], Settings]]:
    """A raw server, and settings that send by it."""
    server = RawServer(handler)
    port = int(server.url.rpartition(":")[2])
    about = {"host": "127.0.0.1", "port": port, "sender": "a@example.org"}
    try:
        yield lambda security: Settings.model_validate({**about, "security": security})
    finally:
        server.close()


def silent(_: socket.socket, over: threading.Event) -> None:
    over.wait()


HELLO = (b"220 here\r\n", b"250-here\r\n250 STARTTLS\r\n", b"220 go ahead\r\n")
NEVER_OVER = {
    "a greeting that drips": ("none", drips(b"220-wait\r\n", b"220-wait\r\n")),
    "no greeting": ("none", silent),
    "a handshake of TLS without an answer": ("tls", silent),
    "a handshake of TLS that drips": ("tls", drips(b"\x16\x03\x03\x3f\xff\x02", b"\x00")),
    "a handshake of STARTTLS without an answer": ("starttls", speaks(*HELLO, stalls=silent)),
    "a handshake of STARTTLS that drips": (
        "starttls",
        speaks(*HELLO, stalls=drips(b"\x16\x03\x03\x3f\xff\x02", b"\x00")),
    ),
}


@pytest.mark.parametrize(("security", "handler"), NEVER_OVER.values(), ids=NEVER_OVER)
def test_a_server_that_never_comes_to_an_end_is_cut_off(
    security: str, handler: Handler, monkeypatch: pytest.MonkeyPatch, outbound: Outbound
) -> None:
    monkeypatch.setattr(module, "CALL_SECONDS", 0.3)
    with (
        serving(handler) as settings,
        pytest.raises(IntegrationFailed, match="did not answer in time") as caught,
    ):
        Email().call(Mail.model_validate(MAIL), context_for(settings(security), outbound))

    assert caught.value.may_pass


def test_a_mail_that_is_taken_waits_for_no_good_bye(outbound: Outbound) -> None:
    """Meanwhile nothing would say that it is sent, and whoever comes after a crash would send it again."""
    sent = threading.Event()
    was_sent = []

    def stays(*_: object) -> None:
        was_sent.append(sent.wait(timeout=10))

    with serving(takes(stays)) as settings:
        answer = Email().call(Mail.model_validate(MAIL), context_for(settings("none"), outbound))
        sent.set()

    assert answer == {"message_id": "<ex_1@example.org>"}
    assert was_sent == [True]


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"to": "ann@example.com\r\nBcc: all@example.com"}, "line break"),
    ({"to": "ann@example.com, bob@example.com"}, "one person"),
    ({"to": "a@b.example <ann@example.com> <bob@example.com>"}, "one person"),
    ({"to": "ann@example.com;bob@example.com"}, "payload.to"),
    ({"to": "ann"}, "one person"),
    ({"to": "@example.com"}, "one person"),
    ({"to": "ann@"}, "domain"),
    ({"to": "ann@-"}, "domain"),
    ({"to": "änn@example.com"}, "one person"),
    ({"to": ["ann@example.com"]}, "payload.to"),
    ({"subject": "Hi\r\nBcc: all@example.com"}, "line break"),
    ({"subject": "Hi\x85x"}, "control character"),
    ({"subject": " "}, "payload.subject"),
    ({"subject": "x" * 501}, "500"),
    ({"subject": "\ud800"}, "payload.subject"),
    ({"text": "\ud800"}, "payload.text"),
    ({"text": " "}, "says nothing"),
    ({"reply_to": "x\ny@example.com"}, "line break"),
    ({"bcc": "all@example.com"}, "payload.bcc"),
    ({"headers": {"Bcc": "x"}}, "payload.headers"),
]


@pytest.mark.parametrize(("change", "says"), REFUSED)
def test_what_would_be_another_mail_is_refused(change: dict[str, Any], says: str) -> None:
    with pytest.raises(InvalidPayload) as caught:
        Registry(AllSettings()).parse_payload("email", {**MAIL, **change})

    assert says in caught.value.message


@pytest.mark.parametrize(
    ("table", "says"),
    [
        ({"host": "smtp://a.example"}, "host"),
        ({"host": "a.example:25"}, "host"),
        ({"port": 0}, "port"),
        ({"user": "u"}, "set both or none"),
        ({"user": "u", "password": "p", "security": "none"}, "in the clear"),
        ({"sender": "Shop\r\nBcc: x@example.com <a@example.org>"}, "line break"),
        ({"security": "ssl"}, "security"),
        ({"ca_file": "none.pem"}, "no file of certificates"),
    ],
)
def test_settings_that_cannot_send_are_refused(table: dict[str, Any], says: str) -> None:
    with pytest.raises(ValidationError) as caught:
        Settings.model_validate({"host": "a.example", "sender": "a@example.org", **table})

    assert says in str(caught.value)


def test_the_rules_of_integrations_are_kept(servers: dict[str, MailServer]) -> None:
    check_integration(
        Email,
        settings={"host": "127.0.0.1", "port": servers["none"].port, "security": "none",
                  "sender": "a@example.org"},
        payloads=[MAIL],
        refused=[{**MAIL, **change} for change, _ in REFUSED if "\ud800" not in str(change)],
        uses_http=False,
    )  # fmt: skip
