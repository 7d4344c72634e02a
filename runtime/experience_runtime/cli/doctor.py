"""experience doctor: is this installation whole, and what confines the sandbox here."""

import importlib.metadata
import platform
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import click

from experience_runtime.cli.common import EXIT_EXPERIENCE_FAILED, everywhere, print_json
from experience_runtime.cli.terminal import styled
from experience_runtime.domain.admission import ALL
from experience_runtime.domain.errors import CallFailed, ExperienceError, InvalidParameter, NotConfigured
from experience_runtime.domain.instants import iso
from experience_runtime.domain.state_changes import STATE_CHANGES
from experience_runtime.domain.workers import SKEW_TOLD, skew_text
from experience_runtime.domain.zones import rules_version
from experience_runtime.engine.alerting import check_rule
from experience_runtime.runtime import Runtime
from experience_runtime.runtime.soundness import check_database
from experience_runtime.sandbox.pool import ENGINE, mend_engine
from experience_runtime.settings.load import Settings

_NEED_NOTHING = (
    "on this machine need no token, and so nobody does whose requests a proxy passes on as its own; "
    "`experience tokens create` ends that"
)


@dataclass(frozen=True, slots=True)
class Finding:
    name: str
    ok: bool
    detail: str


@click.command(
    epilog="""\b
Examples:
  experience doctor
  experience doctor --json

Exit codes: 0 all well; 1 something needs mending."""
)
@everywhere
def doctor(settings: Settings, as_json: bool) -> None:
    """Check this installation, and say what to mend."""
    with Runtime(settings, to_look=True) as runtime:
        findings = list(_findings(runtime))
    ok = all(finding.ok for finding in findings)
    if as_json:
        print_json({"ok": ok, "checks": [{"name": f.name, "ok": f.ok, "detail": f.detail} for f in findings]})
    else:
        for finding in findings:
            mark = styled("ok  ", fg="green") if finding.ok else styled("FAIL", fg="red")
            click.echo(f"{mark} {finding.name:<13} {styled(finding.detail)}")
    if not ok:
        raise SystemExit(EXIT_EXPERIENCE_FAILED)


def _findings(runtime: Runtime) -> Iterator[Finding]:
    version = platform.python_version()
    yield Finding("python", sys.version_info >= (3, 11), f"{version}; 3.11 or newer is needed")
    yield engine(installed_version)
    yield _sandbox(runtime)
    yield Finding("time zones", True, f"the rules of {rules_version()}, of the package tzdata alone")
    yield (database := _try("database", lambda: _database_text(runtime)))
    if database.ok:
        yield _clock(runtime)
        yield _try("deliveries", lambda: runtime.operations.holds().get(ALL) or "go on")
        yield _try("callers", lambda: "need a token" if runtime.store.tokens.ever() else _NEED_NOTHING)
    yield from _files(runtime)
    if database.ok:
        yield _try("settings key", lambda: _stored_text(runtime))
    yield _integrations(runtime)
    if runtime.settings.alerts:
        yield _try("alerts", lambda: ", ".join(_alert_texts(runtime)))
    if runtime.settings.webhooks and database.ok:
        yield _try("webhooks", lambda: ", ".join(_webhook_texts(runtime)))
    yield Finding(
        "settings", True, str(runtime.settings.config or "no experience.toml; defaults and environment")
    )


def _files(runtime: Runtime) -> Iterator[Finding]:
    """Whether others on this machine may read or write what is kept; a server's files are its own matter."""
    try:
        if runtime.is_shared or not runtime.has_database:
            return
        path = runtime.database_path
    except ExperienceError:
        return  # the finding about the database says why
    from experience_runtime.store.sqlite.private import too_open

    found = list(too_open(path))
    config = runtime.settings.config
    if config is not None and (mode := config.stat().st_mode & 0o777) & 0o022:
        found.append(f"others may write {config} ({mode:04o}); chmod go-w {config}")
    yield Finding("files", not found, "; ".join(found) or "private to their owner")


def confinement(in_force: Sequence[str], system: str, machine: str) -> Finding:
    """Whether what confines a worker is enough: on Linux, nothing less than the system call filter."""
    found = "a worker runs, confined by: " + ", ".join(in_force)
    if system != "linux":
        told = "only limits of resources hold here: run only scripts you trust, or run it in a container"
        return Finding("sandbox", False, f"{found}; system call filters are Linux's, and {told}")
    if "seccomp" in in_force:
        return Finding("sandbox", True, found)
    return Finding(
        "sandbox",
        False,
        f"{found}; no system call filter on {machine}: run on x86_64 or aarch64, or only scripts you trust",
    )


def engine(version_of: Callable[[str], str | None]) -> Finding:
    """Whether the engine is the one release whose inside the sandbox knows."""
    if version_of("quickjs") is not None:
        return Finding(
            "engine",
            False,
            "the archived package quickjs is installed and shadows quickjs-ng; "
            f"pip uninstall quickjs, then pip install --force-reinstall quickjs-ng=={ENGINE}",
        )
    found = version_of("quickjs-ng")
    return Finding(
        "engine",
        found == ENGINE,
        f"quickjs-ng {found}" if found == ENGINE else f"quickjs-ng is {found or 'missing'}; {mend_engine()}",
    )


def installed_version(distribution: str) -> str | None:
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return None


def _clock(runtime: Runtime) -> Finding:
    try:
        skew = runtime.store.workers.clock_skew(runtime.clock.now)
    except ExperienceError as error:
        return Finding("clock", False, error.message)
    if abs(skew) > SKEW_TOLD:
        return Finding("clock", False, skew_text(skew))
    return Finding("clock", True, "within 2 s of the database's")


def _sandbox(runtime: Runtime) -> Finding:
    try:
        return confinement(runtime.sandbox.in_force(), sys.platform, platform.machine())
    except ExperienceError as error:
        return Finding("sandbox", False, error.message)


def _integrations(runtime: Runtime) -> Finding:
    try:
        found = runtime.integrations.describe()
    except ExperienceError as error:
        return Finding("integrations", False, error.message)
    refused = {each.name for each in found if each.why and not each.broken and _is_set_up(runtime, each.name)}
    told = [
        runtime.settings.redact(each.why or "")
        if each.broken or each.name in refused
        else f"{each.name} ({'configured' if each.configured else 'not configured'})"
        for each in sorted(found, key=lambda each: (not each.broken, each.name not in refused))
    ]
    unknown = runtime.settings.unknown_tables(runtime.integrations.names())
    is_fine = not unknown and not refused and not any(each.broken for each in found)
    return Finding("integrations", is_fine, "; ".join([*unknown, *told]))


def _webhook_texts(runtime: Runtime) -> Iterator[str]:
    """Each webhook and how its last call went; raises for one that is not configured, or did not take it."""
    from experience_runtime.runtime.webhooks import webhook_documents

    runtime.integrations.settings(STATE_CHANGES)
    for each in webhook_documents(runtime):
        if each["last"] is None:
            yield f"{each['name']} was not called lately"
            continue
        if each["last"]["status"] == "failed":
            raise CallFailed(
                f"{each['name']} was not told at {each['last']['at']}: {each['last']['error']}; "
                f"try `experience webhooks test {each['name']}`, and replay {each['last']['id']}"
            )
        yield f"{each['name']} took its last call at {each['last']['at']}"


def _stored_text(runtime: Runtime) -> str:
    """What of the settings stands in the database; raises for what no key here opens."""
    if not runtime.has_database:
        return "no settings stand in the database"
    rows = [each.integration for each in runtime.store.integration_settings.all()]
    if not runtime.settings.served.settings_in_database:
        kept = f"; those of {', '.join(rows)} stand in the database too, and are not used" if rows else ""
        return f"not needed: settings are read from the settings file{kept}"
    _ = runtime.kept_settings.keys
    stored = runtime.kept_settings.now()
    if stored.unreadable:
        raise InvalidParameter("; ".join(stored.unreadable.values()))
    names = runtime.integrations.names()
    unused = [each for each in rows if each in names and not runtime.integrations.given(each).is_stored]
    told = (
        f"opens the settings of {', '.join(rows)}" if rows else "there, and no settings stand in the database"
    )
    return told + (f"; the settings file wins for {', '.join(unused)}" if unused else "")


def _is_set_up(runtime: Runtime, name: str) -> bool:
    """Whether it has settings, and none that only waits for a variable or a file."""
    given = runtime.integrations.given(name)
    return bool(given.table) and not given.missing


def _alert_texts(runtime: Runtime) -> Iterator[str]:
    """Each rule and who tells; raises for one whose integration is not there, or not configured."""
    for rule in runtime.settings.alerts:
        check_rule(rule, runtime.integrations)
        try:
            runtime.integrations.settings(rule.integration)
        except NotConfigured as error:
            raise NotConfigured(f"alerts.{rule.name} tells nobody: {error.message}") from None
        yield f"{rule.name} tells through {rule.integration}"


def _database_text(runtime: Runtime) -> str:
    check_database(runtime)
    return f"{runtime.database_name} opens; next wake {_wake_text(runtime)}"


def _wake_text(runtime: Runtime) -> str:
    next_wake = runtime.store.next_wake(now=runtime.clock.now())
    return "never" if next_wake is None else iso(next_wake)


def _try(name: str, act: Callable[[], str]) -> Finding:
    try:
        return Finding(name, True, act())
    except ExperienceError as error:
        return Finding(name, False, error.message)
