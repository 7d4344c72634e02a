"""What differs between two sets of files, however many lines they have."""

import difflib
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from experience_runtime.domain.differences import differences


def test_each_file_that_differs_has_its_unified_diff() -> None:
    before = {"variation.js": "a\nb\nc", "gone.json": "{}", "same.js": "x"}
    after = {"variation.js": "a\nB\nc", "new.json": "1", "same.js": "x"}

    found = differences(before, after, old="3", new="4")

    assert {name: list(lines) for name, lines in found.items()} == {
        "gone.json": ["--- 3/gone.json", "+++ 4/gone.json", "@@ -1 +0,0 @@", "-{}"],
        "new.json": ["--- 3/new.json", "+++ 4/new.json", "@@ -0,0 +1 @@", "+1"],
        "variation.js": [
            "--- 3/variation.js",
            "+++ 4/variation.js",
            "@@ -1,3 +1,3 @@",
            " a",
            "-b",
            "+B",
            " c",
        ],
    }


@pytest.mark.parametrize("kept", [0, 5])
def test_what_would_take_for_ever_to_compare_is_told_as_one_block(kept: int) -> None:
    head, tail = [f"head {n}" for n in range(kept)], [f"tail {n}" for n in range(kept)]
    before = [f"{n % 13}" for n in range(100_000)]
    after = [f"{n % 17}x" for n in range(100_000)]
    texts = ["\n".join(head + lines + tail) for lines in (before, after)]

    (lines,) = differences({"a.js": texts[0]}, {"a.js": texts[1]}, old="1", new="2").values()

    assert [line for line in lines[2:] if line[0] == "-"] == [f"-{line}" for line in before]
    assert [line for line in lines[2:] if line[0] == "+"] == [f"+{line}" for line in after]
    around = [f" {line}" for line in (head[-3:] + tail[:3])]
    assert [line for line in lines[2:] if line[0] == " "] == around
    first, count = max(0, kept - 3) + 1, 100_000 + len(around)
    assert lines[2] == f"@@ -{first},{count} +{first},{count} @@"


def test_lines_far_down_keep_their_numbers() -> None:
    before = [str(n) for n in range(1, 101)]
    after = [*before[:49], "fifty", "and a half", *before[50:89], *before[90:]]

    (lines,) = differences({"a.js": "\n".join(before)}, {"a.js": "\n".join(after)}, old="1", new="2").values()

    assert [each for each in lines if each.startswith("@@")] == ["@@ -47,7 +47,8 @@", "@@ -87,7 +88,6 @@"]
    assert [each for each in lines[2:] if each[0] in "-+"] == ["-50", "+fifty", "+and a half", "-90"]


def test_lines_that_come_again_and_again_are_not_compared_with_all_that_stayed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    most = 0
    compare = difflib.unified_diff

    def noted(a: Sequence[str], b: Sequence[str], **more: Any) -> Iterator[str]:
        nonlocal most
        most = max(most, len(a), len(b))
        return compare(a, b, **more)

    monkeypatch.setattr(difflib, "unified_diff", noted)
    before = [str(n % 150) for n in range(100_000)]
    after = [*before[:50_000], "x", *before[50_001:]]

    (lines,) = differences({"a.js": "\n".join(before)}, {"a.js": "\n".join(after)}, old="1", new="2").values()

    assert lines[2] == "@@ -49998,7 +49998,7 @@"
    assert most == 7


@pytest.mark.parametrize(("most", "lines"), [(9, ["-a", "+b", " s", "-c", "+d"]), (8, ["-a", "-s", "-c"])])
def test_as_many_pairs_of_lines_are_compared_as_may_be(
    monkeypatch: pytest.MonkeyPatch, most: int, lines: Sequence[str]
) -> None:
    monkeypatch.setattr("experience_runtime.domain.differences._MOST_PAIRS", most)

    (told,) = differences({"a.js": "a\ns\nc"}, {"a.js": "b\ns\nd"}, old="1", new="2").values()

    assert list(told[3:])[: len(lines)] == lines
