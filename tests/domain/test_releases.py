"""Releases: what a release may be made of, and who is in a share."""

from dataclasses import replace

import pytest
from experience_runtime.domain.errors import InvalidParameter
from experience_runtime.domain.releases import (
    MOST_FILE_BYTES,
    MOST_FILES,
    Change,
    Files,
    check_files,
    parse_share,
    part_of,
    share_text,
)
from experience_runtime.domain.values import read_note

from tests.domain.samples import NOW

CHANGE = Change(
    experience="reminder", version=3, at=NOW, actor="ada", action="release", active=1, partial=2, share=1_000
)
VECTORS = {"v1": 9616, "v2": 556, "ada@example.com": 4942, "Łucja": 5178}


@pytest.mark.parametrize(
    "name",
    [
        "../variation.js", "/etc/x.json", "a/../b.json", "a//b.json", ".env.json", "a/.git/x.json", "x.html",
        "a\\b.json", "variation.js\n", "variation.js\0", "sub/variation.js", "helper.js", "variation-x.js",
        "", "x" * 250 + ".json", "c:x.json",
    ],
)  # fmt: skip
def test_a_file_of_another_name_is_refused(name: str) -> None:
    with pytest.raises(InvalidParameter, match="not one that an experience has"):
        check_files({name: "1"})


@pytest.mark.parametrize(
    ("files", "why"),
    [
        ({}, "a release has files"),
        ({f"{number}.json": "1" for number in range(MOST_FILES + 1)}, "at most 200"),
        ({"variation.js": "é" * (MOST_FILE_BYTES // 2 + 1)}, "at most 1 MiB"),
        ({f"{number}.json": "x" * MOST_FILE_BYTES for number in range(3)}, "at most 2 MiB"),
        ({"variation.js": "\ud800"}, "half a character"),
    ],
)
def test_what_is_no_release_is_refused(files: dict[str, str], why: str) -> None:
    with pytest.raises(InvalidParameter, match=why):
        check_files(files)


def test_the_digest_is_that_of_what_sha256sum_prints() -> None:
    files = Files(texts={"variation.js": "1\n", "a.json": "{}"})

    assert files.digest == "6b8ea74398057b5f5d49eca3b64fbd86dfa3d3910ba3774fd5424faa05c51264"


@pytest.mark.parametrize("share", ["0%", "100%", "10", "-1%", "1e1%", "0.001%", "٣%", ""])
def test_what_is_no_share_is_refused(share: str) -> None:
    with pytest.raises(InvalidParameter, match="is none"):
        parse_share(share)


def test_a_share_is_read_and_told_alike() -> None:
    assert [share_text(parse_share(each)) for each in ("10%", "2.5 %", "0.01%", "99.99%")] == [
        "10%", "2.5%", "0.01%", "99.99%",
    ]  # fmt: skip
    with pytest.raises(InvalidParameter, match="one line"):
        read_note("two\nlines")


def test_a_visitor_stays_in_a_share_and_somebody_unknown_is_in_none() -> None:
    assert {name: part_of("reminder", name) for name in VECTORS} == VECTORS
    visitors = [f"visitor-{number}" for number in range(20_000)]
    first = {each for each in visitors if CHANGE.of_visitor(each) == 2}
    more = {each for each in visitors if replace(CHANGE, share=5_000).of_visitor(each) == 2}

    assert abs(len(first) - 2_000) < 150  # 3.5 standard deviations of 42
    assert first < more
    assert CHANGE.of_visitor(None) == 1
