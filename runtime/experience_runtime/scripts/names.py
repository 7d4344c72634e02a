"""Names that authors expect: of `options`, of an integration, and of pages and servers that are not here."""

from collections.abc import Mapping

_NO_PAGE = (
    "there is no page here; take what you need from options.data, options.getBrowserState() or options.uv"
)
_NO_NETWORK = "nothing leaves from here; call options.integration('webhook') instead"
_NO_STORE = "the browser's stores are not here; use options.cookies, or options.state within a run"
_ALONE = "a run works by itself; compute here, and hand on what others are to do with options.integration(…)"
_NO_NODE = "there is no Node.js here; "
PAGE_NAMES: Mapping[str, str] = {
    **dict.fromkeys(("document", "HTMLElement", "MutationObserver", "IntersectionObserver"), _NO_PAGE),
    **dict.fromkeys(("Image", "Element", "getComputedStyle", "requestAnimationFrame"), _NO_PAGE),
    **dict.fromkeys(
        ("ResizeObserver", "DOMParser", "XMLSerializer", "customElements", "matchMedia"), _NO_PAGE
    ),
    **dict.fromkeys(("Worker", "SharedWorker", "BroadcastChannel"), _ALONE),
    **dict.fromkeys(("Notification", "FileReader"), _NO_PAGE),
    **dict.fromkeys(("jQuery", "$"), _NO_PAGE),
    **dict.fromkeys(("location", "navigator"), "there is no browser here; use options.getBrowserState()"),
    **dict.fromkeys(("localStorage", "sessionStorage", "indexedDB"), _NO_STORE),
    **dict.fromkeys(("XMLHttpRequest", "fetch", "WebSocket", "EventSource"), _NO_NETWORK),
    **dict.fromkeys(("alert", "confirm", "prompt"), "nobody is looking here; use options.log.info(…)"),
    **dict.fromkeys(("universal_variable", "dataLayer", "ga"), "the page's data is not here; use options.uv"),
    "process": "there is no process here; settings belong in options.data",
    "Buffer": "there is no Node.js here; use plain strings",
}
"""What browsers and Node.js have in every scope and this sandbox does not, with what to use instead."""

_NOT_THE_LANGUAGE = "it belongs to browsers, and not to the language; "
WEB_NAMES: Mapping[str, str] = {
    **dict.fromkeys(("Blob", "File", "FormData"), _NOT_THE_LANGUAGE + "send a plain object as the payload"),
    **dict.fromkeys(("setImmediate", "requestIdleCallback"), "write setTimeout(…, 0)"),
    **dict.fromkeys(
        ("clearImmediate", "cancelIdleCallback", "cancelAnimationFrame"), "write clearTimeout(id)"
    ),
    **dict.fromkeys(("Request", "Response", "Headers", "caches"), _NO_NETWORK),
    **dict.fromkeys(("ReadableStream", "WritableStream", "TransformStream"), _NO_NETWORK),
    **dict.fromkeys(("MessageChannel", "MessagePort", "postMessage", "importScripts"), _ALONE),
    **dict.fromkeys(("history", "screen"), "there is no browser here; use options.getBrowserState()"),
    **dict.fromkeys(("cookieStore",), "use options.cookies"),
    **dict.fromkeys(("addEventListener", "removeEventListener", "dispatchEvent"), "write options.uv.on(…)"),
    **dict.fromkeys(
        ("Node", "NodeList", "Window", "Audio", "SVGElement", "CSS", "HTMLInputElement"), _NO_PAGE
    ),
    **dict.fromkeys(("gtag", "fbq", "_gaq", "uv", "qubit"), "the page's data is not here; use options.uv"),
    **dict.fromkeys(("WebAssembly", "SharedArrayBuffer"), "write it in JavaScript"),
    **dict.fromkeys(("React", "ReactDOM", "Vue", "angular", "Backbone"), _NO_PAGE),
    **dict.fromkeys(
        ("_", "lodash", "moment", "axios", "dayjs"), "a bundler such as esbuild puts packages into the file"
    ),
    **dict.fromkeys(("__dirname", "__filename"), _NO_NODE + "require('./data.json') reads a file beside it"),
    "Temporal": "write new Date(…), and Intl.DateTimeFormat for what a clock shows",
    "global": _NO_NODE + "write globalThis",
    "options": "it is the first parameter of the exported function; write module.exports = options => {…}",
    "cb": "it is the second parameter of triggers; write module.exports = (options, cb) => {…}",
    **dict.fromkeys(
        ("define", "System"),
        "this is written for a page's loader; let the compiler or bundler write its form cjs or esm",
    ),
}
"""What a page has and this runtime may lack: told when a run missed it, for an engine may learn them."""

# fmt: off
OPTIONS_MEMBERS = (
    "integration", "log", "state", "meta", "data", "solution", "getVisitorState", "getBrowserState", "uv",
    "emitCustomGoal", "emitMetric", "cookies", "poll", "onRemove", "onActivation", "redirectTo",
    "registerContentAreas", "unregisterContentAreas", "isMemberOf", "getMemberships",
    "onMembershipsChanged", "react",
)
# fmt: on
"""What `options` has. Source: reference/options."""

MEMBERS_OF_OPTIONS: Mapping[str, tuple[str, ...]] = {
    "log": ("trace", "debug", "info", "warn", "error", "log", "enable", "disable", "destroy"),
    "state": ("get", "set"),
    "uv": ("emit", "on", "once", "onEventSent", "onceEventSent", "events"),
    "cookies": ("get", "getAll", "set", "clear", "clearAll"),
}
"""What the members of `options` have that are objects of ours."""

INTEGRATION_MEMBERS = ("execute", "schedule", "cancel")
"""The methods of an integration; calling it is `execute`."""

SUPPORTED_INTL = (
    "DateTimeFormat",
    "NumberFormat",
    "PluralRules",
    "RelativeTimeFormat",
    "ListFormat",
    "Collator",
)
"""What `Intl` has here."""

SUPPORTED_LOCALES = (
    "en-US",
    "en-GB",
    "en-AU",
    "en-CA",
    "de-DE",
    "de-AT",
    "de-CH",
    "fr-FR",
    "fr-CA",
    "es-ES",
    "es-MX",
    "it-IT",
    "nl-NL",
    "pt-BR",
    "pt-PT",
    "sv-SE",
    "da-DK",
    "nb-NO",
    "fi-FI",
    "pl-PL",
    "cs-CZ",
    "tr-TR",
    "ja-JP",
    "zh-CN",
    "ko-KR",
)
"""The locales of texts for people; a language alone is the first of them."""

UNORDERED_LOCALES = ("ja-JP", "zh-CN", "ko-KR")
"""Those whose order of letters is not known here."""

_STYLES = ("long", "short", "narrow")
_NUMBERS = ("numeric", "2-digit")
INTL_OPTIONS: dict[str, dict[str, tuple[str, ...]]] = {
    "DateTimeFormat": {
        "dateStyle": ("full", "long", "medium", "short"),
        "timeStyle": ("full", "long", "medium", "short"),
        "timeZoneName": ("short", "long", "shortOffset", "longOffset"),
        "weekday": ("short", "long"),
        "month": (*_NUMBERS, "short", "long"),
        **dict.fromkeys(("year", "day", "hour", "minute", "second"), _NUMBERS),
    },
    "NumberFormat": {
        "style": ("decimal", "percent", "currency"),
        "notation": ("standard", "compact"),
        "compactDisplay": ("short", "long"),
    },
    "PluralRules": {"type": ("cardinal", "ordinal")},
    "RelativeTimeFormat": {"style": _STYLES, "numeric": ("always", "auto")},
    "ListFormat": {"type": ("conjunction", "disjunction", "unit"), "style": _STYLES},
    "Collator": {
        "usage": ("sort",),
        "sensitivity": ("base", "accent", "case", "variant"),
        "caseFirst": ("upper", "lower", "false"),
    },
}
"""What the options of `Intl` may be, where that is one of a few words."""

PACKAGES = frozenset(
    (
        "@qubit/poller",
        "@qubit/remember-preview",
        "@qubit/send-uv-event",
        "@qubit/utils",
        "cookieman",
        "driftwood",
        "md5",
        "slapdash",
        "sync-p",
    )
)
"""What can be required besides the folder's own files, and parts of them.

Source: reference/experiences#what-can-be-required.
"""
