"""Time of a step from slice to slice: our viewer, plotly frames with a slider, and a slider that asks the server.

All three show the same 60 slices of 512 x 512 in the same headless Chromium, in the same run. A step is timed in the
page, from the wheel, key or slider to the moment after the frame with the new slice has been painted. With
``--studies N`` also the memory of browser and server after N studies were opened one after another.

usage: python -m tests.benchmarks.scrolling [--steps N] [--studies N]
"""

import argparse
import base64
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import plotly.graph_objects as go
from playwright.sync_api import Browser, Page, sync_playwright
from playwright.sync_api import Error as PlaywrightError

from dashboard.records import open_records
from dashboard.settings import REPOSITORY, load_settings
from dashboard.study import FrameReference, Series, Volume
from dashboard.viewing import Window, png
from tests.browser.conftest import ARGUMENTS, CHROMIUM
from tests.browser.provider import free_port
from tests.browser.server import Server
from tests.screens.site import add_result, axial_series

SLICES, SIDE = 60, 512
TARGET_MS = 33.0
OURS = """async (steps) => {
  const root = [...document.querySelectorAll("*")].map((one) => one.shadowRoot?.querySelector(".viewer")).find(Boolean);
  const canvas = root.querySelector(".pane canvas");
  const times = [];
  for (let step = 0; step < steps; step += 1) {
    const begun = performance.now();
    const drawn = new Promise((done) => root.addEventListener("triage-drawn", done, { once: true }));
    const deltaY = Math.floor(step / 25) % 2 ? -120 : 120;
    canvas.dispatchEvent(new WheelEvent("wheel", { deltaY, bubbles: true, cancelable: true }));
    await drawn;
    // What was drawn in an animation frame is painted when the next task runs.
    const { port1, port2 } = new MessageChannel();
    await new Promise((done) => { port1.onmessage = done; port2.postMessage(0); });
    times.push(performance.now() - begun);
    await new Promise((done) => setTimeout(done, 20));
  }
  return times;
}"""
PLOTLY = """async (steps) => {
  const plot = document.querySelector(".js-plotly-plot");
  const times = [];
  for (let step = 0; step < steps; step += 1) {
    const begun = performance.now();
    const how = { mode: "immediate", frame: { duration: 0, redraw: true }, transition: { duration: 0 } };
    await Plotly.animate(plot, [String((step * 7 + 3) % %(slices)d)], how);
    await new Promise((done) => requestAnimationFrame(done));
    const { port1, port2 } = new MessageChannel();
    await new Promise((done) => { port1.onmessage = done; port2.postMessage(0); });
    times.push(performance.now() - begun);
    await new Promise((done) => setTimeout(done, 20));
  }
  return times;
}""".replace("%(slices)d", str(SLICES))
# Times one key, from the page's hearing of it to the first frame with another picture.
SLIDER = """() => {
  const shown = () => document.querySelector("[data-testid=stImage] img");
  const before = shown().src;
  window.step = new Promise((done, refuse) => {
    document.addEventListener("keydown", async () => {
      const begun = performance.now();
      while (performance.now() - begun < 5000) {
        await new Promise((next) => requestAnimationFrame(next));
        if (shown() && shown().src !== before && shown().complete) return done(performance.now() - begun);
      }
      return refuse(new Error("no new picture"));
    }, { once: true, capture: true });
  });
}"""
SLIDER_APP = """
import numpy as np, streamlit as st
volume = np.load({path!r}, mmap_mode="r")
at = st.slider("slice", 0, {last}, {middle})
st.image(np.clip(volume[at] / 4, 0, 255).astype("uint8"))
"""


def voxels() -> np.ndarray:
    """Twelve-bit noise about a disc: what compresses as badly as a real picture."""
    rng = np.random.default_rng(1)
    rows, columns = np.mgrid[:SIDE, :SIDE]
    body = 300 + 400 * (np.hypot(rows - SIDE / 2, columns - SIDE / 2) < SIDE / 3)
    return (body + rng.normal(0, 40, (SLICES, SIDE, SIDE))).clip(0, 4095).astype(np.uint16)


def large_series() -> Series:
    """An axial series of 60 slices that covers what the small one covers."""
    series = axial_series()
    volume = series.volumes[0]
    affine = volume.affine.copy()
    affine[:3, 1:3] *= volume.voxels.shape[1] / SIDE
    frames = tuple(FrameReference(f"2.25.11.{index}") for index in range(SLICES))
    return replace(series, volumes=(Volume(voxels(), affine, frames),))


def report(name: str, times: Sequence[float]) -> None:
    """One line: median, 95th percentile and worst, ms."""
    median, late = np.percentile(times, [50, 95])
    print(f"{name:34s} median {median:7.1f}  p95 {late:7.1f}  worst {max(times):7.1f} ms  (n {len(times)})")


def ours(browser: Browser, server: Server, study: str, steps: int) -> list[float]:
    """Steps in the viewer, once all slices of the series are there."""
    page = browser.new_page(viewport={"width": 1366, "height": 768})
    fetched: list[str] = []
    page.on("requestfinished", lambda request: fetched.append(request.url))
    page.goto(f"{server.url}/study?study={study}&view=1-1*0-1.5.zf")
    while sum(url.endswith("/lossless") for url in fetched) < SLICES:
        page.wait_for_timeout(100)
    page.wait_for_timeout(1500)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    times = page.evaluate(OURS, steps)
    print(f"requests while stepping: {len(asked)}")
    page.close()
    return list(times)


def plotly_frames(browser: Browser, folder: Path, steps: int) -> list[float]:
    """Steps of plotly frames, each a PNG under the axes."""
    data = voxels()
    window = Window(0.0, 1000.0)
    sources = ["data:image/png;base64," + base64.b64encode(png(plane, window)).decode() for plane in data]
    figure = go.Figure(
        data=[go.Image(source=sources[0])],
        frames=[go.Frame(data=[go.Image(source=source)], name=str(number)) for number, source in enumerate(sources)],
        layout={"width": 700, "height": 700},
    )
    path = folder / "plotly.html"
    figure.write_html(path, include_plotlyjs=True)
    page = browser.new_page(viewport={"width": 1366, "height": 768})
    page.goto(path.as_uri())
    page.wait_for_selector(".js-plotly-plot .main-svg")
    times = page.evaluate(PLOTLY, steps)
    page.close()
    return list(times)


@contextmanager
def slider_server(folder: Path) -> Iterator[str]:
    """A Streamlit page whose slider asks the server for every slice."""
    np.save(folder / "volume.npy", voxels())
    script = folder / "slider.py"
    text = SLIDER_APP.format(path=str(folder / "volume.npy"), last=SLICES - 1, middle=SLICES // 4)
    script.write_text(text, encoding="utf-8")
    port = free_port()
    command = [
        sys.executable,
        "-m",
        "streamlit",
        "run",
        str(script),
        "--server.port",
        str(port),
        "--server.headless=true",
    ]
    process = subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait()


def server_slider(browser: Browser, folder: Path, steps: int) -> list[float]:
    """Steps of that slider."""
    with slider_server(folder) as url:
        page = browser.new_page(viewport={"width": 1366, "height": 768})
        for _ in range(60):
            try:
                page.goto(url)
                break
            except PlaywrightError:
                page.wait_for_timeout(500)
        page.wait_for_selector("[data-testid=stImage] img")
        page.get_by_role("slider").focus()
        times = []
        for _ in range(min(steps, SLICES // 2)):
            page.evaluate(SLIDER)
            page.keyboard.press("ArrowRight")
            times.append(float(page.evaluate("window.step")))
        page.close()
    return times


def memory_mib(pids: Sequence[int]) -> float:
    """Memory of processes and their children, shared pages counted once a process (PSS)."""
    total = 0
    for pid in pids:
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss_Anon:"):
                total += int(line.split()[1])
    return total / 1024


def children(pid: int) -> list[int]:
    """A process and everything below it."""
    found = [pid]
    for task in Path(f"/proc/{pid}/task").iterdir():
        for child in (task / "children").read_text().split():
            found += children(int(child))
    return found


def open_many(page: Page, server: Server, studies: Sequence[str], count: int) -> None:
    """Open studies one after another in one page, by the keys a reader uses, and print the memory on the way."""
    browser_pid = int(subprocess.check_output(["pgrep", "-o", "-f", "chromium.*--headless"]).split()[0])
    for number in range(count):
        page.goto(f"{server.url}/study?study={studies[number % len(studies)]}")
        page.wait_for_selector(".pane[data-quality=lossless]")
        page.wait_for_timeout(200)
        if number + 1 in (1, 10, 50, 100, 150, 200) or number + 1 == count:
            sizes = {"browser": memory_mib(children(browser_pid)), "server": memory_mib([server.pid])}
            print(json.dumps({"opened": number + 1, **{name: f"{size:.0f} MiB" for name, size in sizes.items()}}))


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=100)
    parser.add_argument("--studies", type=int, default=0)
    chosen = parser.parse_args()
    print(f"load before: {os.getloadavg()[0]:.1f}; {SLICES} slices of {SIDE} x {SIDE}, two bytes a pixel")
    with tempfile.TemporaryDirectory() as name, sync_playwright() as playwright:
        folder = Path(name)
        records = open_records(load_settings({"TRIAGE_DATA_DIR": str(folder / "data")}))
        study = add_result(records, "3", axial=large_series())
        others = [add_result(records, "2") for _ in range(min(chosen.studies, 20))]
        server = Server(REPOSITORY, folder / "data")
        server.start()
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        try:
            times = ours(browser, server, study, chosen.steps)
            report("our viewer", times)
            met = np.percentile(times, 95) <= TARGET_MS
            print(f"target: p95 at most {TARGET_MS:.0f} ms, {'met' if met else 'not met'}")
            report("plotly frames, client slider", plotly_frames(browser, folder, chosen.steps))
            report("slider that asks the server", server_slider(browser, folder, chosen.steps))
            if chosen.studies:
                open_many(browser.new_page(), server, [study, *others], chosen.studies)
        finally:
            browser.close()
            server.stop()
            records.close()


if __name__ == "__main__":
    main()
