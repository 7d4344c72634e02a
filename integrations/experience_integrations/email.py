"""email: sends a mail through an SMTP server, by STARTTLS or TLS."""

import functools
import re
import smtplib
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from typing import Annotated, Any, ClassVar, Literal, Self

import idna
from experience_runtime.integration import Context, Integration, IntegrationFailed
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, StrictStr, model_validator

SUBJECT_LENGTH = 500
TEXT_LENGTH = 500_000
CALL_SECONDS = 45.0
"""What a whole conversation may take: less than `timeout`, so that it is over when the attempt is."""

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_LOCAL = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
_MAILBOX = re.compile(r"(?P<name>[^<>]*)<(?P<spec>[^<>\s]+)>|(?P<bare>[^<>\s]+)")
_HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?|[0-9A-Fa-f:.]+")
_POLICY = SMTP.clone(cte_type="7bit")  # goes through every server, also one without 8BITMIME


def _address(text: str) -> str:
    _parsed(text)
    return text


def _parsed(text: str) -> Address:
    """`ann@example.com` or `Ann <ann@example.com>`, for one person. Raises ValueError without its text."""
    if _CONTROL.search(text) or len(text) > 500:
        raise ValueError("holds a line break or another control character, or is longer than 500 characters")
    found = _MAILBOX.fullmatch(text.strip())
    name, spec = (
        ("", "") if found is None else ((found["name"] or "").strip(), found["spec"] or found["bare"])
    )
    local, _, domain = spec.rpartition("@")
    if not _LOCAL.fullmatch(local) or len(local) > 64:
        raise ValueError('is no address of one person; write "ann@example.com" or "Ann <ann@example.com>"')
    if name[:1] == name[-1:] == '"':
        name = name[1:-1]
    try:
        name.encode()
        host = idna.encode(domain, uts46=True).decode("ascii")
    except UnicodeError:
        raise ValueError("names no domain behind its @") from None
    if "." not in host and host != "localhost":
        raise ValueError("names no whole domain behind its @")
    return Address(name, username=local, domain=host)


def _plain(text: str) -> str:
    text.encode()  # half a character
    return text


def _line(text: str) -> str:
    if _CONTROL.search(text):
        raise ValueError("holds a line break or another control character; write one line")
    return _plain(text)


def _host(text: str) -> str:
    if not _HOST.fullmatch(text):
        raise ValueError("must be the name of a server, without a port or a scheme")
    return text


def _authority(path: str) -> str:
    try:
        _trust(path)
    except OSError:  # an ssl.SSLError is one
        raise ValueError("names no file of certificates that can be read; write its path") from None
    return path


Mailbox = Annotated[StrictStr, AfterValidator(_address)]


class Settings(BaseModel):
    """`sender` is whom a mail is from. `security`: "starttls" (port 587), "tls" (465), or "none" within a
    network of your own. `ca_file`: whose certificates are believed, where it is an authority of your own."""

    host: Annotated[str, AfterValidator(_host)]
    port: Annotated[int, Field(ge=1, le=65535)] = 587
    security: Literal["starttls", "tls", "none"] = "starttls"
    user: Annotated[str, Field(min_length=1)] | None = None
    password: SecretStr | None = None
    sender: Mailbox
    reply_to: Mailbox | None = None
    ca_file: Annotated[str, AfterValidator(_authority)] | None = None

    @model_validator(mode="after")
    def _sends_no_password_in_the_clear(self) -> Self:
        if (self.user is None) != (self.password is None):
            raise ValueError("has one of user and password; set both or none")
        if self.user is not None and self.security == "none":
            raise ValueError('would send the password in the clear; set security = "starttls" or "tls"')
        return self


class Mail(BaseModel):
    """A mail to one person: `text`, `html`, or both."""

    model_config = ConfigDict(extra="forbid")

    to: Mailbox
    subject: Annotated[
        StrictStr, Field(min_length=1, max_length=SUBJECT_LENGTH, pattern=r"\S"), AfterValidator(_line)
    ]
    text: Annotated[StrictStr, Field(max_length=TEXT_LENGTH), AfterValidator(_plain)] = ""
    html: Annotated[StrictStr, Field(max_length=TEXT_LENGTH), AfterValidator(_plain)] = ""
    reply_to: Mailbox | None = None

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if not (self.text.strip() or self.html.strip()):
            raise ValueError("says nothing; give it a text or html")
        return self


class Email(Integration[Settings, Mail]):
    name = "email"
    settings = Settings
    payload = Mail
    example: ClassVar[Any] = {"to": "ann@example.com", "subject": "Your basket", "text": "Hello!"}

    def call(self, payload: Mail, context: Context[Settings]) -> Any:
        settings = context.settings
        message, sender, receiver = _message(payload, context)
        what = "connect"
        try:
            with _conversation(settings, context.http.connect, _parsed(settings.sender).domain) as server:
                if settings.security == "starttls":
                    what = "STARTTLS"
                    server.starttls(context=_trust(settings.ca_file))
                if settings.user is not None and settings.password is not None:
                    what = "the login"
                    server.login(settings.user, settings.password.get_secret_value())
                what = "the mail"
                server.sendmail(sender, [receiver], message)
        except (smtplib.SMTPException, OSError) as problem:
            raise _failure(problem, f"{settings.host}:{settings.port}", what) from None
        return {"message_id": _message_id(settings, context)}


def _message_id(settings: Settings, context: Context[Settings]) -> str:
    return f"<{context.execution_id}@{_parsed(settings.sender).domain}>"


def _message(payload: Mail, context: Context[Settings]) -> tuple[bytes, str, str]:
    """The mail as it is sent, and the addresses of the envelope."""
    settings = context.settings
    sender, receiver = _parsed(settings.sender), _parsed(payload.to)
    mail = EmailMessage(policy=_POLICY)
    mail["From"], mail["To"], mail["Subject"] = sender, receiver, payload.subject
    reply_to = payload.reply_to or settings.reply_to
    if reply_to is not None:
        mail["Reply-To"] = _parsed(reply_to)
    mail["Date"] = format_datetime(context.now)
    # the same at every attempt: who reads mail can tell a repeated one
    mail["Message-ID"] = _message_id(settings, context)
    mail["Auto-Submitted"] = "auto-generated"  # no notice of absence is sent back. Source: RFC 3834
    if payload.text.strip():
        mail.set_content(payload.text)
        if payload.html.strip():
            mail.add_alternative(payload.html, subtype="html")
    else:
        mail.set_content(payload.html, subtype="html")
    return mail.as_bytes(), sender.addr_spec, receiver.addr_spec


@functools.lru_cache(maxsize=8)
def _trust(ca_file: str | None) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=ca_file)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


class _Server(smtplib.SMTP):
    """An SMTP client that goes out where the runtime allows it. `trust`: TLS from the first byte."""

    def __init__(
        self,
        settings: Settings,
        connect: Callable[[str, int], socket.socket],
        *,
        domain: str,
        trust: ssl.SSLContext | None,
    ) -> None:
        self._connect = connect
        self._trust = trust
        self._line: socket.socket | None = None
        self.is_cut = False
        super().__init__(local_hostname=domain)
        self._host = settings.host  # what a certificate is for; `connect` alone does not set it

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:  # noqa: ARG002 smtplib's
        connection = self._connect(host, port)
        try:
            # a second descriptor of the connection: TLS takes the first one over when its handshake begins
            self._line = connection.dup()
            if self.is_cut:
                raise TimeoutError
            if self._trust is None:
                return connection
            return self._trust.wrap_socket(connection, server_hostname=host)
        except BaseException:
            connection.close()
            raise

    def cut(self) -> None:
        """End whatever is waited for, from another thread."""
        self.is_cut = True
        if self._line is not None:
            with suppress(OSError):  # it is over already
                self._line.shutdown(socket.SHUT_RDWR)

    def leave(self) -> None:
        """Say good-bye, and wait for no answer: the mail is taken, and nothing may make it be sent again."""
        with suppress(smtplib.SMTPException, OSError):
            self.putcmd("quit")

    def close(self) -> None:
        super().close()
        if self._line is not None:
            self._line.close()


@contextmanager
def _conversation(
    settings: Settings, connect: Callable[[str, int], socket.socket], domain: str
) -> Iterator[_Server]:
    """A connected server; whatever it does, it is over after CALL_SECONDS: one that drips is cut off."""
    trust = _trust(settings.ca_file) if settings.security == "tls" else None
    server = _Server(settings, connect, domain=domain, trust=trust)
    timer = threading.Timer(CALL_SECONDS, server.cut)
    timer.daemon = True
    timer.start()
    try:
        code, said = server.connect(settings.host, settings.port)
        if code != 220:
            raise smtplib.SMTPConnectError(code, said)
        yield server
        server.leave()
    except (smtplib.SMTPException, OSError):
        if server.is_cut:
            raise TimeoutError(f"it was not over after {CALL_SECONDS:g} s") from None
        raise
    finally:
        timer.cancel()
        server.close()


def _failure(problem: Exception, where: str, what: str) -> IntegrationFailed:
    """What the server's answer means: 4yz may pass, 5yz stays. Source: RFC 5321, 4.2.1."""
    match problem:
        case smtplib.SMTPRecipientsRefused(recipients=recipients):
            code, said = next(iter(recipients.values()))
            return _answered(code, said, f"{where} does not take the receiver")
        case smtplib.SMTPAuthenticationError():
            told = f"{where} does not take user and password; set them anew"
            return _answered(problem.smtp_code, problem.smtp_error, told)
        case smtplib.SMTPResponseException():
            told = f"{where} refused {'the connection' if what == 'connect' else what}"
            return _answered(problem.smtp_code, problem.smtp_error, told)
        case smtplib.SMTPNotSupportedError():
            fix = (
                'use security = "tls", or another port'
                if what == "STARTTLS"
                else "leave user and password out"
            )
            return IntegrationFailed(f"{where} does not offer {what}; {fix}", may_pass=False)
        case smtplib.SMTPException() if not isinstance(problem, smtplib.SMTPServerDisconnected):
            return IntegrationFailed(f"{where} offers no login that is known here", may_pass=False)
        case ssl.SSLCertVerificationError():
            told = f"the certificate of {where} was not accepted: {problem.verify_message}"
            return IntegrationFailed(told, may_pass=True)
        case ssl.SSLError():
            return IntegrationFailed(f"no secure connection to {where} could be made", may_pass=True)
        case TimeoutError():
            return IntegrationFailed(f"{where} did not answer in time during {what}", may_pass=True)
    return IntegrationFailed(f"the connection to {where} broke during {what}", may_pass=True)


def _answered(code: int, said: bytes | str, told: str) -> IntegrationFailed:
    text = said.decode("utf-8", "replace") if isinstance(said, bytes) else said
    shown = " ".join(text.split())[:200]
    return IntegrationFailed(
        f"{told}: {code} {shown}".rstrip(), may_pass=not 500 <= code < 600, answer=f"{code} {text}"
    )
