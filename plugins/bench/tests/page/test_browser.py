"""The page of ``zoo report`` in headless Chromium: at three widths, by keyboard, light and dark, printed, served."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from plugins.bench.tests.conftest import bench_environment
from plugins.bench.tests.made_up import spec, store

CHROMIUM = os.environ.get("ZOO_CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
pytestmark = [
    pytest.mark.skipif(
        not os.environ.get("ZOO_REQUIRE_EXTRAS"), reason="needs Chromium and playwright: make test-full"
    ),
    pytest.mark.skipif(not CHROMIUM, reason="no chromium on PATH, nor in ZOO_CHROMIUM"),
    pytest.mark.filterwarnings("ignore"),
]
WIDTHS = [360, 820, 1400]


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield found
        found.close()


@pytest.fixture
def opened(browser: Any, hostile_page: Path, request: pytest.FixtureRequest) -> Iterator[Any]:
    """The page at a width; whatever it logs, requests or raises fails the test."""
    context = browser.new_context(viewport={"width": getattr(request, "param", 1400), "height": 900})
    page = context.new_page()
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("request", lambda asked: said.append(asked.url) if not asked.url.startswith(("file:", "data:")) else None)
    page.goto(hostile_page.as_uri())
    yield page
    assert said == []
    assert page.evaluate("window.evil") is None
    context.close()


@pytest.mark.parametrize("opened", WIDTHS, indirect=True)
def test_it_fits_its_width_with_everything_open_and_drawn(opened: Any) -> None:
    opened.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    for place in opened.query_selector_all(".chart.together, .small-charts"):
        place.scroll_into_view_if_needed()
        opened.wait_for_timeout(150)
    assert opened.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    drawn = opened.evaluate("document.querySelectorAll('svg.area path.line').length")
    assert drawn >= opened.evaluate("document.querySelectorAll('.small-charts').length") > 0
    paths = opened.evaluate(
        "[...document.querySelectorAll('svg.area path')].map((path) => path.getAttribute('d')).join('')"
    )
    assert "NaN" not in paths
    assert "Infinity" not in paths


def rows(page: Any) -> list[str]:
    found: list[str] = page.evaluate(
        "[...document.querySelectorAll('#claims-table tbody tr:not([hidden])')]"
        ".map((row) => row.cells[0].textContent.trim())"
    )
    return found


def test_claims_are_sorted_and_filtered_by_keyboard(opened: Any) -> None:
    whole = rows(opened)
    head = opened.locator("#claims-table th button").first
    head.focus()
    opened.keyboard.press("Enter")
    assert opened.locator("#claims-table th").first.get_attribute("aria-sort") == "ascending"
    opened.keyboard.press("Enter")
    assert opened.locator("#claims-table th").first.get_attribute("aria-sort") == "descending"
    assert rows(opened)[0] == whole[-1]
    opened.locator("form[data-table] input").fill("gradient descent-ascent")
    words = rows(opened)
    assert 0 < len(words) < len(whole)
    assert opened.locator("form[data-table] output").inner_text() == f"{len(words)} of {len(whole)}"
    opened.locator("form[data-table] input").fill("")
    opened.locator("form[data-table] select").select_option("not judged")
    assert set(opened.evaluate(
        "[...document.querySelectorAll('#claims-table tbody tr:not([hidden])')].map((row) => row.dataset.answer)"
    )) == {"not judged"}  # fmt: skip


def test_a_curve_is_read_and_zoomed_by_keys_and_by_dragging(opened: Any) -> None:
    place = opened.locator(".chart.together").first
    place.scroll_into_view_if_needed()
    area = place.locator("svg.area")
    area.wait_for()
    reading = place.locator("output.reading")
    area.focus()
    opened.keyboard.press("End")
    assert " at 400" in reading.inner_text()
    opened.keyboard.press("+")
    labels = (
        "[...document.querySelectorAll('.chart.together svg.area text[text-anchor]')].map((text) => text.textContent)"
    )
    near = opened.evaluate(labels)
    opened.keyboard.press("0")
    assert opened.evaluate(labels) != near
    whole = opened.evaluate(labels)
    box = area.bounding_box()
    opened.mouse.move(box["x"] + 0.3 * box["width"], box["y"] + 50)
    opened.mouse.down()
    opened.mouse.move(box["x"] + 0.5 * box["width"], box["y"] + 60)
    opened.mouse.up()
    assert opened.evaluate(labels) != whole
    assert reading.inner_text()
    button = place.locator(".legend button").first
    lines = place.locator("svg.area path.line").count()
    button.click()
    assert button.get_attribute("aria-pressed") == "false"
    assert place.locator("svg.area path.line").count() == lines - 1


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_can_be_read_in_light_and_dark(browser: Any, hostile_page: Path, scheme: str) -> None:
    page = browser.new_page(color_scheme=scheme)
    page.goto(hostile_page.as_uri())
    contrast = """() => {
        const light = (colour) => {
            const [r, g, b] = colour.match(/[\\d.]+/g).slice(0, 3).map((part) => {
                const c = part / 255;
                return c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
            });
            return 0.2126 * r + 0.7152 * g + 0.0722 * b;
        };
        const ground = light(getComputedStyle(document.body).backgroundColor);
        const ratio = (element) => {
            const ink = light(getComputedStyle(element).color);
            return (Math.max(ink, ground) + 0.05) / (Math.min(ink, ground) + 0.05);
        };
        return Math.min(...[...document.querySelectorAll('p, td, .badge, a, .dim, [data-state]')].map(ratio));
    }"""
    assert page.evaluate(contrast) >= 4.5  # of the Web Content Accessibility Guidelines, level AA
    page.close()


def test_a_served_page_follows_its_runs_and_stays_as_it_was_left(browser: Any, tmp_path: Path) -> None:
    folder = store(tmp_path / "runs", spec(), 0, [{"err": 1.0 / (step + 1)} for step in range(10)])
    process = subprocess.Popen(
        [sys.executable, "-m", "zoo.cli.main", "report", "--serve", "--port", "0", "--dir", str(tmp_path / "runs")],
        stdout=subprocess.PIPE, text=True, env={**bench_environment(), "ZOO_PLUGINS": "zoo-core,zoo-bench"},
    )  # fmt: skip
    page = browser.new_page()
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    try:
        assert process.stdout is not None
        page.goto(process.stdout.readline().split()[0])
        first = page.locator("body").get_attribute("data-live")
        page.locator("details.group > summary").click()
        page.locator("form[data-groups] input").fill("learner")
        with (folder / "metrics.jsonl").open("a") as log:
            log.write('{"step": 770, "wall": 11.0, "err": 0.5}\n')
        page.locator(f"body:not([data-live='{first}']) details.group[open]").wait_for(timeout=60_000)
        assert "770" in (page.locator("#curves").text_content() or "")
        assert page.locator("form[data-groups] input").input_value() == "learner"
        assert said == []
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)
        page.close()


def test_it_prints_with_papers_and_runs_open(opened: Any, tmp_path: Path) -> None:
    opened.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    assert opened.evaluate(
        "[...document.querySelectorAll('#papers details, #runs details.group')].every((one) => one.open)"
    )
    file = tmp_path / "page.pdf"
    opened.pdf(path=file)
    assert file.read_bytes().startswith(b"%PDF")
    assert file.stat().st_size > 50_000
