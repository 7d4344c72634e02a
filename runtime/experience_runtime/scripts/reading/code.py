"""Code: a file's text with its comments, strings and regular expressions blanked; offsets are characters."""

from functools import cached_property

from experience_runtime.scripts.reading.source import Place, Source, decoded, walk

_BLANK = frozenset(
    (
        "comment",
        "hash_bang_line",
        "html_comment",
        "jsx_text",
        "regex",
        "string",
        "string_fragment",
        "template_string",
        "escape_sequence",
        "unescaped_double_string_fragment",
        "unescaped_single_string_fragment",
    )
)


class Code:
    """What of a file is neither said to people nor data."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.text = decoded(source.data)

    @cached_property
    def code(self) -> str:
        data = self.source.data
        parts, done = [], 0
        for node in walk(self.source.root, into=lambda each: each.type not in _BLANK):
            if node.type in _BLANK and node.start_byte >= done:
                parts.append(decoded(data[done : node.start_byte]))
                inner = decoded(data[node.start_byte : node.end_byte])
                parts.append("".join("\n" if char == "\n" else " " for char in inner))
                done = node.end_byte
        parts.append(decoded(data[done:]))
        return "".join(parts)

    def place(self, at: int) -> Place:
        """The place of an offset."""
        start = self.text.rfind("\n", 0, at) + 1
        return self.text.count("\n", 0, at) + 1, at - start + 1

    def offset(self, place: Place) -> int:
        """The offset of a place; the end of the text for one beyond it."""
        line, column = place
        start = 0
        for _ in range(min(line, len(self.text) + 2) - 1):
            start = self.text.find("\n", start) + 1
            if not start:
                return len(self.text)
        return min(start + column - 1, len(self.text))

    def byte(self, at: int) -> int:
        """The offset in bytes of an offset in characters."""
        return len(self.text[:at].encode("utf-8", "surrogatepass"))

    def character(self, byte: int) -> int:
        """The offset in characters of an offset in bytes."""
        return len(decoded(self.source.data[:byte]))
