"""The notebook of the documentation, executed in a real kernel; only ``make test-full`` starts one."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

NOTEBOOK = Path(__file__).parents[2] / "docs" / "notebook.ipynb"


@pytest.fixture(scope="module")
def executed(tmp_path_factory: pytest.TempPathFactory) -> list[Any]:
    """Its cells of code, with their outputs."""
    if not os.environ.get("ZOO_REQUIRE_EXTRAS"):
        pytest.skip("a kernel is started by make test-full alone")
    import nbformat
    from nbclient import NotebookClient

    notebook = nbformat.read(NOTEBOOK, as_version=4)
    folder = tmp_path_factory.mktemp("notebook")
    NotebookClient(notebook, timeout=300, resources={"metadata": {"path": str(folder)}}).execute()
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def _texts(cell: Any) -> list[str]:
    return ["".join(output.get("text", "") or output.get("data", {}).get("text/plain", "")) for output in cell.outputs]


@pytest.mark.slow
def test_every_cell_of_the_notebook_runs_and_shows_what_it_says(executed: list[Any]) -> None:
    outputs = {cell.source.split("\n")[-1][:20]: cell for cell in executed}
    assert not any(output.output_type == "error" for cell in executed for output in cell.outputs)
    assert "(0, 'finished', 300), (1, 'finished', 300), (2, 'finished', 300)" in _texts(executed[0])[-1]
    assert "text/html" in outputs["pd.DataFrame(loaded."].outputs[-1].data
    assert "did you mean reload" in _texts(executed[-1])[-1]
    pictures = [o for cell in executed for o in cell.outputs if "image/png" in o.get("data", {})]
    assert len(pictures) == 2


@pytest.mark.slow
def test_progress_stands_below_the_cell_and_is_gone_at_the_end(executed: list[Any]) -> None:
    live = [output for output in executed[0].outputs if output.output_type == "display_data"]
    assert len(live) == 2  # one for each call of zoo.train, written anew again and again, and empty now
    assert not any(output.data["text/plain"] for output in live)
    assert not [output for output in executed[0].outputs if output.output_type == "stream"]


@pytest.mark.slow
def test_a_notebook_shows_counts_while_it_trains(tmp_path: Path) -> None:
    if not os.environ.get("ZOO_REQUIRE_EXTRAS"):
        pytest.skip("a kernel is started by make test-full alone")
    from jupyter_client.manager import start_new_kernel

    manager, client = start_new_kernel(kernel_name="python3", cwd=str(tmp_path))
    try:
        client.execute("import zoo; zoo.train('reload', 'hazard-grid', seeds=range(2), steps=2000)")
        shown = []
        while True:
            message = client.get_iopub_msg(timeout=120)
            if message["msg_type"] in ("display_data", "update_display_data"):
                shown.append(message["content"]["data"]["text/plain"])
            if message["msg_type"] == "status" and message["content"]["execution_state"] == "idle":
                break
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
    assert any("all seeds  0/2" in text and "seed 1  " in text and "/2000" in text for text in shown)
    assert shown[-1] == ""
