"""The site: the documents build, and a link or an anchor that leads nowhere fails."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from .headings import headings
from .stage import ROOT, dev

SECONDS = 120


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A folder with what the site is made of."""
    shutil.copytree(ROOT / "docs", tmp_path / "docs")
    shutil.copy(ROOT / "zensical.toml", tmp_path)
    return tmp_path


def build(checkout: Path) -> subprocess.CompletedProcess[str]:
    program, *words = dev.DOCS
    return subprocess.run(
        [str(Path(sys.executable).with_name(program)), *words],
        cwd=checkout,
        env={**os.environ, "NO_COLOR": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        timeout=SECONDS,
        check=False,
    )


def test_the_site_has_a_page_for_each_document_and_asks_no_other_host(checkout: Path) -> None:
    built = build(checkout)

    assert built.returncode == 0, built.stdout
    docs, site = checkout / "docs", checkout / "site"
    pages = {path.relative_to(docs) for path in docs.rglob("*.md")}
    assert pages <= {path.relative_to(site).with_suffix(".md") for path in site.rglob("*.html")}
    for page in pages:
        text = (site / page.with_suffix(".html")).read_text(encoding="utf-8")
        made = re.findall(r'<h[1-6] id="([^"]+)"', text)
        assert made == [each.slug for each in headings(docs / page)], f"{page}: a fence swallows headings"
    loaded = re.findall(r'(?:src|href)="(https?:[^"]+)"', (site / "index.html").read_text(encoding="utf-8"))
    assert [address for address in loaded if address.endswith((".js", ".css", ".woff2"))] == []


def test_every_document_is_in_the_navigation() -> None:
    navigation = (ROOT / "zensical.toml").read_text(encoding="utf-8")
    pages = [path.relative_to(ROOT / "docs").as_posix() for path in (ROOT / "docs").rglob("*.md")]

    assert [page for page in pages if f'"{page}"' not in navigation] == []


@pytest.mark.parametrize("link", ["nowhere.md", "glossary.md#nowhere"])
def test_a_link_that_leads_nowhere_fails(checkout: Path, link: str) -> None:
    page = checkout / "docs" / "index.md"
    page.write_text(f"{page.read_text(encoding='utf-8')}\n[nowhere]({link})\n", encoding="utf-8")

    assert build(checkout).returncode != 0
