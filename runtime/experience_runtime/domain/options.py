"""Options: reading the object an author passes to schedule or cancel, without a rule about time."""

from collections.abc import Collection, Mapping
from itertools import islice

from experience_runtime.domain.errors import InvalidParameter, InvalidWindow
from experience_runtime.domain.values import nearest, shown, whole_number

EXECUTE_TIMEOUT_SECONDS = 5.0

SCHEDULE_OPTIONS = ("key", "delay", "time", "window", "cancelOnConversion", "ifExists", "scope")
"""What `schedule` reads. All of them may also stand in the defaults.

Source: reference/schedule-options#schedule.
"""

CANCEL_OPTIONS = ("key", "reason", "scope")
"""What `cancel` reads."""

WINDOW_OPTIONS = ("day", "time", "timezoneOffset", "timezone")

_EXECUTE_OPTIONS = ("key", "timeout")
_OF_LATER = ("delay", "time", "window", "cancelOnConversion")
_MOST_LOOKED_AT = 1000
_KNOWN = frozenset((*SCHEDULE_OPTIONS, *CANCEL_OPTIONS, "timeout"))  # one object may serve all three verbs
_MOST_UNKNOWN = 8
_ONLY_IN_WINDOW = frozenset(WINDOW_OPTIONS) - _KNOWN

Options = Mapping[str, object]


def check_names(options: Options, defaults: Options) -> tuple[str, ...]:
    """Refuse options whose name is a near miss of a known one; return a warning for each other unknown one.

    Null counts as left out, so a null option has no name to check. Unknown defaults are left alone,
    near misses apart: other verbs and later versions may use them.
    """
    _check_object("options", options)
    _check_object("defaults", defaults)
    if options.keys() <= _KNOWN and defaults.keys() <= _KNOWN:
        return ()
    unknown = [name for name in _unknown(options) if not _refuse_near_miss(name)]
    for name in _unknown(defaults):
        _refuse_near_miss(name)
    return tuple(
        f"option {shown(name)} is not known and has no effect; the options are {', '.join(sorted(_KNOWN))}"
        for name in unknown
    )


def check_window_names(window: object) -> Options:
    """Return the window as a mapping whose names are all known. Raises InvalidWindow."""
    if not isinstance(window, Mapping):
        raise InvalidWindow(
            f'window {shown(window)} is not an object; write {{day: "monday-friday", time: "09:00-17:00"}}'
        )
    for name, value in window.items():
        if name in WINDOW_OPTIONS or value is None:
            continue
        meant = nearest(str(name), WINDOW_OPTIONS)
        raise InvalidWindow(
            f"window has no option {shown(name)}; "
            + (f'did you mean "{meant}"?' if meant else f"it has {', '.join(WINDOW_OPTIONS)}")
        )
    return window


def chosen(options: Options, defaults: Options, name: str) -> object:
    """Take the call's own value, else the default's; None when both leave it out."""
    value = options.get(name)
    return defaults.get(name) if value is None else value


def one_of(name: str, value: object, allowed: Collection[str], default: str) -> str:
    """Read an option that is one of a few words; None takes the default. Raises InvalidParameter."""
    if value is None:
        return default
    if isinstance(value, str) and value in allowed:
        return value
    words = " or ".join(f'"{word}"' for word in allowed)
    raise InvalidParameter(f"{name} {shown(value)} is not one of its values; write {words}")


def flag(name: str, value: object) -> bool:
    """Read an option that is true or false; None is false. Raises InvalidParameter."""
    if value is None or isinstance(value, bool):
        return bool(value)
    raise InvalidParameter(f"{name} {shown(value)} is not true or false; write true or false without quotes")


def _check_object(name: str, value: object) -> None:
    if not isinstance(value, Mapping):
        raise InvalidParameter(f'{name} {shown(value)} is not an object; write {{delay: "1 hour"}}')


def _unknown(options: Options) -> list[str]:
    # a few are enough to help, and a hostile object may have a million
    unknown = (str(name) for name, value in options.items() if value is not None and name not in _KNOWN)
    return list(islice(unknown, _MOST_UNKNOWN))


def _refuse_near_miss(name: str) -> bool:
    if name in _ONLY_IN_WINDOW:
        raise InvalidParameter(f"option {shown(name)} belongs inside window; write window: {{{name}: …}}")
    if meant := nearest(name, sorted(_KNOWN)):
        raise InvalidParameter(f'option {shown(name)} is not known; did you mean "{meant}"?')
    return False


def defaults_without_effect(defaults: Options) -> tuple[str, ...]:
    """Warn of what an integration's defaults say of a later call, when `execute` runs now."""
    named = [f"{name} {shown(defaults[name])}" for name in _OF_LATER if defaults.get(name) is not None]
    if not named:
        return ()
    return (f"execute runs now, whatever the default says: {', '.join(named)}; write schedule for later",)


def check_execute_options(options: Options) -> tuple[str, ...]:
    """Refuse what would mean later, a near miss of an option, and a timeout that is none.

    Return a warning for each other unknown one.
    `execute` runs at once: a message meant for later must not go out now.
    Source: reference/schedule-options#execute.
    """
    _check_object("options", options)
    warnings = []
    for name, value in islice(options.items(), _MOST_LOOKED_AT):
        if value is None or name in _EXECUTE_OPTIONS:
            continue
        if name in _OF_LATER:
            raise InvalidParameter(
                f"{name} {shown(value)} has no place in execute: it runs at once; "
                "write schedule for later, or leave it out"
            )
        if name not in _KNOWN and (meant := nearest(name, _EXECUTE_OPTIONS)):
            raise InvalidParameter(f'option {shown(name)} is not known; did you mean "{meant}"?')
        if name not in _KNOWN and (meant := nearest(name, _OF_LATER)):
            raise InvalidParameter(
                f'option {shown(name)} is not known, and "{meant}" has no place in execute: it runs at once; '
                "write schedule for later"
            )
        warnings.append(
            f"option {shown(name)} has no effect in execute; its options are {', '.join(_EXECUTE_OPTIONS)}"
        )
    execute_timeout_seconds(options.get("timeout"))
    return tuple(warnings[:_MOST_UNKNOWN])


_LONGEST_TIMEOUT_MS = 86_400_000  # beyond every limit there is; what is larger may be no float


def execute_timeout_seconds(timeout: object) -> float:
    if timeout is None:
        return EXECUTE_TIMEOUT_SECONDS
    milliseconds = whole_number(timeout)
    if milliseconds is None or milliseconds <= 0:
        raise InvalidParameter(
            f"timeout {shown(timeout)} is not a number of milliseconds above 0; write 5000"
        )
    return min(milliseconds, _LONGEST_TIMEOUT_MS) / 1000
