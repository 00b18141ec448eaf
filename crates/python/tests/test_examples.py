"""The programs below `examples/python` run as they stand, those that take a size with a small one."""

import json
import pathlib
import subprocess
import sys

import pytest

FOLDER = pathlib.Path(__file__).parents[3] / "examples" / "python"
SMALL = {"ot.py": ["--points", "300"], "flow.py": ["--iterations", "100"]}


@pytest.mark.parametrize("script", sorted(FOLDER.glob("*.py")), ids=lambda script: script.name)
def test_a_script_runs(script, tmp_path):
    command = [sys.executable, str(script), *SMALL.get(script.name, [])]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout


@pytest.mark.parametrize("notebook", sorted(FOLDER.glob("*.ipynb")), ids=lambda notebook: notebook.name)
def test_the_cells_of_a_notebook_run_in_their_order(notebook, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    cells = json.loads(notebook.read_text())["cells"]
    names = {}
    for number, cell in enumerate(cells):
        if cell["cell_type"] == "code":
            exec(compile("".join(cell["source"]), f"{notebook.name}, cell {number}", "exec"), names)
