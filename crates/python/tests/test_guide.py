"""The Python of the guide in `docs` and of the README of the package runs as it stands."""

import pathlib
import re

import pytest

ROOT = pathlib.Path(__file__).parents[3]
BLOCK = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)
PAGES = {page.name: page.read_text() for page in sorted((ROOT / "docs").glob("*.md"))}
PAGES["crates/python/README.md"] = (ROOT / "crates" / "python" / "README.md").read_text()


@pytest.mark.parametrize("page", [page for page, text in PAGES.items() if BLOCK.search(text)])
def test_the_blocks_of_a_page_run_in_their_order(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names = {}
    for number, block in enumerate(BLOCK.findall(PAGES[page])):
        exec(compile(block, f"{page}, block {number}", "exec"), names)
