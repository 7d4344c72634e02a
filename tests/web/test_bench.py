"""The bench of `experience dev`: which files may be written, and what stays as it was."""

import os
import re
import stat
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from experience_runtime.domain.errors import Conflict, ExperienceError, InvalidParameter
from experience_runtime.runtime import Runtime
from experience_runtime.settings.load import load_settings
from experience_runtime.settings.serving import Served
from experience_runtime.web.bench import Bench
from experience_runtime.web.server import make_web
from fastapi.testclient import TestClient

HERE = "http://127.0.0.1:8080"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A folder of two experiences beside a third that is not served, with links that lead out of it."""
    for name in ("served/mine", "served/other", "beside"):
        folder = tmp_path / name
        folder.mkdir(parents=True)
        (folder / "variation.js").write_bytes(b"1")
    (tmp_path / "secret.json").write_text("{}", encoding="utf-8")
    (tmp_path / "served/mine/linked.json").symlink_to(tmp_path / "secret.json")
    (tmp_path / "served/outside").symlink_to(tmp_path / "beside")
    (tmp_path / "served/lone.js").write_text("1", encoding="utf-8")
    return tmp_path / "served"


@pytest.fixture
def bench(root: Path) -> Bench:
    return Bench(root, Served(drafts=root, released={"released": root.parent / "beside"}))


def test_the_files_are_the_code_and_the_stories_and_no_link(bench: Bench, root: Path) -> None:
    for name in ("data.json", "notes.md", "late.story.json", "utils.ts", "triggers.js"):
        (root / "mine" / name).write_text("{}", encoding="utf-8")

    assert bench.files("mine") == ["variation.js", "triggers.js", "utils.ts", "late.story.json", "data.json"]
    assert bench.files("lone") == ["lone.js"]
    assert [bench.files(name) for name in ("released", "outside", "nothing")] == [[], [], []]
    assert [bench.story_of(name) for name in ("mine", "other", "lone")] == [
        "late.story.json",
        "story.json",
        "lone.story.json",
    ]


@pytest.mark.parametrize(
    ("experience", "file"),
    [
        ("mine", "../other/variation.js"),
        ("mine", "linked.json"),
        ("mine", "new.js"),
        ("mine", "/etc/hosts"),
        ("mine", ""),
        ("released", "variation.js"),
        ("outside", "variation.js"),
        ("..", "secret.json"),
        ("nothing", "variation.js"),
    ],
)
def test_nothing_else_is_read_or_written(bench: Bench, root: Path, experience: str, file: str) -> None:
    before = {path: path.read_bytes() for path in root.parent.rglob("*") if path.is_file()}

    with pytest.raises(InvalidParameter, match="is no file of"):
        bench.read(experience, file)
    with pytest.raises(InvalidParameter, match="is no file of"):
        bench.write(experience, file, "x", seen="")

    assert {path: path.read_bytes() for path in root.parent.rglob("*") if path.is_file()} == before


def test_what_somebody_else_changed_meanwhile_is_not_overwritten(bench: Bench, root: Path) -> None:
    file = root / "mine" / "variation.js"
    opened = bench.read("mine", "variation.js")
    file.write_text("theirs", encoding="utf-8")

    with pytest.raises(Conflict, match="was changed on the disk"):
        bench.write("mine", "variation.js", "mine", seen=opened.seen)

    assert file.read_text(encoding="utf-8") == "theirs"
    with pytest.raises(Conflict):  # it is there by now
        bench.write("mine", "variation.js", "mine", seen="")


@pytest.mark.parametrize(
    ("before", "written", "after"),
    [
        (b"a\n", "b\r\nc\r", b"b\nc\n"),
        (b"a\r\nb\r\n", "b\r\nc\r\n", b"b\r\nc\r\n"),
        (b"\xef\xbb\xbfa", "\u00e9", b"\xef\xbb\xbf\xc3\xa9"),
    ],
    ids=["a browser's line ends", "its own line ends", "a byte order mark"],
)
def test_what_a_file_is_like_stays(
    bench: Bench, root: Path, before: bytes, written: str, after: bytes
) -> None:
    file = root / "mine" / "variation.js"
    file.write_bytes(before)
    file.chmod(0o640)

    bench.write("mine", "variation.js", written, seen=bench.read("mine", "variation.js").seen)

    assert file.read_bytes() == after
    assert stat.S_IMODE(file.stat().st_mode) == 0o640
    assert sorted(os.listdir(file.parent)) == ["linked.json", "variation.js"]


@pytest.mark.parametrize(
    ("written", "said"), [("x" * (1024 * 1024 + 1), "at most 1 MiB"), ("\ud800", "half a character")]
)
def test_what_cannot_be_kept_is_refused(bench: Bench, root: Path, written: str, said: str) -> None:
    with pytest.raises(ExperienceError, match=said):
        bench.write("mine", "variation.js", written, seen=bench.read("mine", "variation.js").seen)

    assert (root / "mine" / "variation.js").read_bytes() == b"1"


@pytest.fixture
def client(root: Path, bench: Bench, monkeypatch: pytest.MonkeyPatch) -> Iterator[TestClient]:
    monkeypatch.chdir(root)
    settings = load_settings(environ={}, database=f"sqlite:///{root.parent / 'dev.db'}")
    with Runtime(replace(settings, served=Served(drafts=root))) as runtime:
        runtime.for_serving()
        web = make_web(runtime, is_open=True, bench=bench)
        yield TestClient(web, base_url=HERE, follow_redirects=False)
        web.state.jobs.close()


def test_a_file_is_saved_by_the_form_of_this_page_alone(client: TestClient, bench: Bench, root: Path) -> None:
    token = re.findall(r'name="form_token" value="(\w+)"', client.get("/playground").text)[0]
    fields = {
        "form_token": token,
        "experience": "mine",
        "file": "variation.js",
        "text": "changed",
        "seen": bench.read("mine", "variation.js").seen,
    }
    refused = [
        (fields | {"form_token": "0" * 64}, {"Origin": HERE}),
        (fields, {"Origin": "http://shop.example"}),
        (fields, {"Origin": HERE, "Host": "rebound.example"}),
        (fields, {"Origin": HERE, "X-Forwarded-For": "203.0.113.9"}),
    ]

    answers = [client.post("/playground/file", data=data, headers=headers) for data, headers in refused]
    assert [answer.status_code for answer in answers] == [403] * 4
    assert (root / "mine" / "variation.js").read_bytes() == b"1"
    stale = client.post(
        "/playground/file", data=fields | {"seen": "", "text": "typed"}, headers={"Origin": HERE}
    )
    assert (stale.status_code, "typed" in stale.text) == (409, True)
    saved = client.post("/playground/file", data=fields, headers={"Origin": HERE})
    assert (saved.status_code, saved.headers["location"][:11]) == (303, "/playground")
    assert (root / "mine" / "variation.js").read_text(encoding="utf-8") == "changed"
