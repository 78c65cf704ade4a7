"""The slice viewer, driven as a reader drives it: keys, wheel, drags, layouts, measurements, links."""

import re
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.browser.server import serving
from tests.browser.viewer import brightness, drag, expect_ink, expect_picture, expect_slice, pane, press, slice_of
from tests.browser.viewer_studies import Studies
from tests.screens.site import FINDING, open_site

pytestmark = [pytest.mark.browser, pytest.mark.slow]

CORD, MEASURE, LINE = (88, 180, 240), (142, 240, 192), (255, 209, 102)


@pytest.fixture(scope="module")
def studies(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Studies]:
    folder = tmp_path_factory.mktemp("viewer") / "data"
    with closing(open_site(folder)) as records, serving(repository, folder) as server:
        yield Studies(server, records)


def test_it_opens_at_the_worst_slice_beside_the_sagittal(page: Page, studies: Studies) -> None:
    studies.open(page)
    expect_slice(page, 8)
    expect(pane(page, 1)).to_have_attribute("data-view", "2")
    expect(pane(page).locator(".grade")).to_have_text("◆ suspected 3")
    expect(pane(page).locator(".letter.left")).to_have_text("R")
    expect(pane(page, 1).locator(".letter.left")).to_have_text("A")
    expect(pane(page).locator(".sw")).to_contain_text("mm")
    expect_ink(pane(page), CORD)
    expect_ink(pane(page, 1), LINE)


def test_a_step_asks_the_server_for_nothing_once_the_pictures_are_here(page: Page, studies: Studies) -> None:
    fetched: list[str] = []
    page.on("requestfinished", lambda request: fetched.append(request.url))
    studies.open(page)
    # Twelve axial slices and five sagittal ones.
    while sum(url.endswith("/lossless") for url in fetched) < 17:
        page.wait_for_timeout(100)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    pane(page).hover()
    for _ in range(3):
        page.mouse.wheel(0, 120)
    expect_slice(page, 11)
    page.keyboard.press("ArrowUp")
    expect_slice(page, 10)
    page.keyboard.press("w")
    expect_slice(page, 8)
    assert asked == []


def test_the_panel_follows_and_the_address_keeps_the_place(page: Page, studies: Studies) -> None:
    studies.open(page)
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    expect(page.locator(".panel h2", has_text="slice 10 of 12")).to_be_visible()
    expect(page).to_have_url(re.compile(r"view=2-1\*0-1\.10\.zc"))
    before = page.evaluate("history.length")
    page.keyboard.press("ArrowDown")
    expect(page.locator(".panel h2", has_text="slice 11 of 12")).to_be_visible()
    assert page.evaluate("history.length") == before
    page.reload()
    expect_slice(page, 11)
    expect(page.locator(".panel h2", has_text="slice 11 of 12")).to_be_visible()


def test_keys_of_the_focused_picture_reach_both_ends(page: Page, studies: Studies) -> None:
    studies.open(page)
    pane(page).focus()
    for key, place in (("End", 12), ("PageUp", 7), ("Home", 1), ("PageDown", 6), ("ArrowUp", 5)):
        page.keyboard.press(key)
        expect_slice(page, place)


def test_a_canal_that_lies_elsewhere_than_in_the_worst_slice_stays_in_sight(page: Page, studies: Studies) -> None:
    studies.open(page, studies.winding)
    pane(page).focus()
    page.keyboard.press("End")
    expect_slice(page, 12)
    # A zoom writes the middle into the address, in tenths of a mm. The canal lies 30 mm from the worst one's, and a
    # quarter of the field away from the middle.
    page.keyboard.press("+")
    expect(page).to_have_url(re.compile(r"0-1\.12\.f\d+\.c\d+_0"))
    middle = re.search(r"\.c(\d+)_0", page.url)
    assert middle is not None
    assert int(middle[1]) / 10 == pytest.approx(30 - 76.8 / 4, abs=1)


def test_drags_do_what_the_chosen_tool_says(page: Page, studies: Studies) -> None:
    studies.open(page)
    words = pane(page).locator(".sw span").first
    grey, before = brightness(pane(page)), words.inner_text()
    drag(page, pane(page), (0.5, 0.5), (0.5, 0.1))
    expect(words).not_to_have_text(before)
    assert brightness(pane(page)) > grey + 5
    # The window is the series': it stays from slice to slice.
    held = words.inner_text()
    page.keyboard.press("ArrowDown")
    expect_slice(page, 9)
    expect(words).to_have_text(held)
    page.keyboard.press("1")
    expect(words).to_have_text(before)
    page.get_by_role("button", name="Scroll", exact=True).click()
    drag(page, pane(page), (0.5, 0.2), (0.5, 0.3))
    assert slice_of(page) > 9
    drag(page, pane(page), (0.5, 0.5), (0.5, 0.3), button="right")
    expect(page).to_have_url(re.compile(r"\.f\d+\.c"))
    page.keyboard.press("r")
    expect(page).to_have_url(re.compile(r"\.zc"))


def test_inverting_twice_shows_the_same(page: Page, studies: Studies) -> None:
    studies.open(page)
    before = brightness(pane(page))
    page.keyboard.press("i")
    expect(pane(page).locator(".sw")).to_contain_text("inverted")
    assert brightness(pane(page)) > before
    page.keyboard.press("i")
    expect(pane(page).locator(".sw")).not_to_contain_text("inverted")
    assert brightness(pane(page)) == pytest.approx(before, abs=0.5)


def test_a_distance_and_an_area_have_the_patient_s_size(page: Page, studies: Studies) -> None:
    studies.open(page, view="1-1*0-1.8.f100.c0_0")
    box = pane(page).locator("canvas").bounding_box()
    assert box is not None
    mm = min(box["width"], box["height"]) / 100
    page.evaluate(
        "() => { window.words = []; const write = CanvasRenderingContext2D.prototype.fillText;"
        "CanvasRenderingContext2D.prototype.fillText = function (words, ...rest) { window.words.push(words);"
        "return write.call(this, words, ...rest); }; }"
    )
    page.keyboard.press("m")
    drag(page, pane(page), (0.5, 0.5), (0.5 + 30 * mm / box["width"], 0.5))
    assert page.evaluate("window.words.at(-1)") == "30.0 mm"
    page.keyboard.press("o")
    x, y = 10 * mm / box["width"], 10 * mm / box["height"]
    drag(page, pane(page), (0.3, 0.3), (0.3 + x, 0.3), (0.3 + x, 0.3 + y), (0.3, 0.3 + y), (0.3, 0.3))
    area = float(page.evaluate("window.words.at(-1)").removesuffix(" mm²"))
    assert area == pytest.approx(100, abs=3)
    # They belong to their slice.
    expect_ink(pane(page), MEASURE)
    page.keyboard.press("ArrowDown")
    expect_slice(page, 9)
    expect_ink(pane(page), MEASURE, there=False)
    page.keyboard.press("ArrowUp")
    expect_slice(page, 8)
    expect_ink(pane(page), MEASURE)
    for _ in range(2):
        pane(page).focus()
        page.keyboard.press("Delete")
    expect_ink(pane(page), MEASURE, there=False)


def test_contours_have_switches_of_their_own_that_are_kept(page: Page, studies: Studies) -> None:
    studies.open(page)
    expect_ink(pane(page), CORD)
    switch = page.get_by_role("button", name="Cord", exact=True)
    switch.click()
    expect(switch).to_have_attribute("aria-pressed", "false")
    expect_ink(pane(page), CORD, there=False)
    page.reload()
    expect_picture(page)
    expect(page.get_by_role("button", name="Cord", exact=True)).to_have_attribute("aria-pressed", "false")
    page.keyboard.press("x")
    expect(page.get_by_role("button", name="Cord", exact=True)).to_have_attribute("aria-pressed", "true")


def test_a_click_moves_every_picture_to_the_point(page: Page, studies: Studies) -> None:
    studies.open(page, view="4-1*0-1.8.zf*0-2.1.zf*0-1r.10.zf*0-1c.10.zf")
    expect_picture(page, 3)
    box = pane(page).locator("canvas").bounding_box()
    assert box is not None
    # 128 pixels of 0.6 mm fill the height: 20 mm left of the middle and 15 mm behind it.
    mm = box["height"] / 76.8
    page.mouse.click(box["x"] + box["width"] / 2 + 20 * mm, box["y"] + box["height"] / 2 + 15 * mm)
    expect_slice(page, 90, 2)
    expect_slice(page, 98, 3)


def test_layouts_are_one_click_away_and_all_sequences_stand_at_one_level(page: Page, studies: Studies) -> None:
    studies.open(page)
    for name, count in (("4", 4), ("1", 1), ("2", 2), ("All", 2)):
        page.get_by_role("button", name=name, exact=True).click()
        expect(page.locator(".pane")).to_have_count(count)
        expect_picture(page)
    expect(page).to_have_url(re.compile("view=all-1"))


def test_a_cut_through_thick_slices_says_so(page: Page, studies: Studies) -> None:
    studies.open(page)
    pane(page, 1).get_by_role("combobox").select_option(label="T2 TSE tra · sagittal reformat, thick slices")
    expect(pane(page, 1)).to_have_attribute("data-view", "1c")
    expect(pane(page, 1).locator(".note")).to_have_text("reformat of thick slices")
    expect(pane(page, 1).locator(".se")).to_contain_text("0.6 mm apart")


def test_the_patient_s_other_study_stands_beside_and_follows(page: Page, studies: Studies) -> None:
    studies.open(page)
    chosen = pane(page, 1).get_by_role("combobox")
    expect(chosen.locator("optgroup").nth(1)).to_have_attribute("label", "other study, 2025-03-01")
    chosen.select_option("1-1")
    expect(pane(page, 1).locator(".ne")).to_contain_text("other study, 2025-03-01")
    there = slice_of(page, 1)
    pane(page).focus()
    page.keyboard.press("ArrowDown")
    expect_slice(page, 9)
    expect_slice(page, there + 1, 1)
    page.keyboard.press("k")
    page.keyboard.press("ArrowDown")
    expect_slice(page, 10)
    expect_slice(page, there + 1, 1)


def test_another_study_follows_by_level_where_levels_are_named(page: Page, studies: Studies) -> None:
    studies.open(page, studies.levelled)
    expect(pane(page).locator(".where")).to_contain_text("T7 · 8 / 12")
    pane(page, 1).get_by_role("combobox").select_option("1-1")
    pane(page).focus()
    for own, other in ((9, 11), (8, 10), (7, 9), (6, 8), (5, 7), (4, 6), (3, 5)):
        page.keyboard.press("ArrowUp" if own < 9 else "ArrowDown")
        expect_slice(page, own)
        expect_slice(page, other, 1)


def test_a_click_on_a_small_slice_goes_there(page: Page, studies: Studies) -> None:
    studies.open(page)
    small = page.locator(".strip button")
    expect(small).to_have_count(12)
    expect(small.nth(7)).to_have_attribute("aria-current", "true")
    expect(small.nth(7)).to_have_text("◆ 3")
    small.nth(2).click()
    expect_slice(page, 3)
    expect(page.locator(".panel h2", has_text="slice 3 of 12")).to_be_visible()


def test_a_click_on_the_profile_goes_there(page: Page, studies: Studies) -> None:
    studies.open(page)
    plot = page.locator(".st-key-profile .nsewdrag").nth(1)
    plot.scroll_into_view_if_needed()
    box = plot.bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + box["width"] * 0.2, box["y"] + box["height"] / 2)
    expect(pane(page)).not_to_have_attribute("data-plane", "8")
    assert slice_of(page) < 6


def test_hiding_the_marks_hides_all_of_them_and_is_kept_with_the_reading(page: Page, studies: Studies) -> None:
    studies.open(page)
    press(page, "h")
    expect(page.get_by_role("heading", name="AI marks hidden")).to_be_visible()
    expect(page.get_by_text(FINDING[:20])).to_have_count(0)
    expect(page.locator(".strip button").first).to_have_text("")
    expect_ink(pane(page), CORD, there=False)
    expect(page.locator(".st-key-agree button").first).to_be_disabled()
    press(page, "g")
    drawer = page.get_by_role("dialog")
    expect(drawer).to_contain_text("the suggested one is hidden")
    drawer.get_by_role("radio", name="2", exact=True).click()
    drawer.get_by_role("button", name="Save reading").click()
    expect(drawer).to_have_count(0)
    expect(page.locator(".said span").first).to_contain_text("Read: grade 2")
    press(page, "h")
    expect(page.locator(".said span").first).to_contain_text("grade 2 instead of 3")
    page.get_by_text("Said by people").click()
    press(page, "u")
    expect(page.locator(".said span").first).to_have_text("Not read yet")


def test_a_first_look_without_marks_does_not_begin_at_the_suspected_slice(page: Page, studies: Studies) -> None:
    studies.open(page, studies.prior)
    press(page, "h")
    expect(page.get_by_role("heading", name="AI marks hidden")).to_be_visible()
    page.locator(".st-key-back button").click()
    page.locator("tbody tr[data-id]").first.click()
    expect_slice(page, 7)


def test_a_study_that_was_not_analysed_shows_its_pictures_whole(page: Page, studies: Studies) -> None:
    studies.open(page, studies.unread)
    expect(page.locator(".strip")).to_be_hidden()
    expect(pane(page).locator(".grade")).to_have_text("")
    expect(page).to_have_url(re.compile(r"\.zf"))


@pytest.mark.parametrize(
    "view", ["x", "9-9*9-9.9", "2-1*0-1.999.zc", "1-1*0-1.8.fNaN.c1_2", "2-1*7-1.1*0-zz.1", "%00", "1-1*0-1.8.w5_1"]
)
def test_a_senseless_address_opens_the_study_all_the_same(page: Page, studies: Studies, view: str) -> None:
    studies.open(page, view=view)
    expect_slice(page, 8)


def test_two_fingers_zoom_and_one_scrolls(browser: Browser, studies: Studies) -> None:
    context: BrowserContext = browser.new_context(viewport={"width": 900, "height": 900}, has_touch=True)
    page = context.new_page()
    studies.open(page)
    box = pane(page).locator("canvas").bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    session = context.new_cdp_session(page)

    def touch(kind: str, *points: tuple[float, float]) -> None:
        spots = [{"x": a, "y": b, "id": number} for number, (a, b) in enumerate(points)]
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": spots})

    touch("touchStart", (x, y))
    for step in range(1, 7):
        touch("touchMove", (x, y + step * 10))
    touch("touchEnd")
    assert slice_of(page) > 8
    touch("touchStart", (x - 20, y), (x + 20, y))
    for step in range(1, 7):
        touch("touchMove", (x - 20 - step * 8, y), (x + 20 + step * 8, y))
    touch("touchEnd")
    expect(page).to_have_url(re.compile(r"\.f\d+\.c"))
    context.close()


def test_on_a_phone_nothing_covers_anything(page: Page, studies: Studies) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    studies.open(page)
    parts = [page.locator(".triage-head"), page.locator(".said").first]
    parts += [page.get_by_role("button", name=re.compile(f"^{name}")) for name in ("Hide AI marks", "Agree", "Next")]
    boxes = []
    for part in parts:
        expect(part).to_be_visible()
        box = part.bounding_box()
        assert box is not None
        assert box["x"] >= 0 and box["x"] + box["width"] <= 390
        boxes.append(box)
    for number, one in enumerate(boxes):
        for other in boxes[:number]:
            across = min(one["x"] + one["width"], other["x"] + other["width"]) - max(one["x"], other["x"])
            down = min(one["y"] + one["height"], other["y"] + other["height"]) - max(one["y"], other["y"])
            assert across <= 1 or down <= 1
    assert boxes[0]["width"] > 300
    tools = page.locator(".tools .group")
    assert all(one.evaluate("(group) => group.scrollWidth <= group.clientWidth + 1") for one in tools.all())


def test_a_server_that_comes_back_is_asked_again(page: Page, studies: Studies) -> None:
    studies.open(page)
    page.route("**/api/pictures/**/lossless", lambda route: route.abort())
    page.get_by_role("button", name="4", exact=True).click()
    expect(page.locator(".trouble")).to_contain_text("does not answer", timeout=30_000)
    page.unroute("**/api/pictures/**/lossless")
    page.keyboard.press("ArrowDown")
    expect_picture(page, 2)
    expect(page.locator(".trouble")).to_be_empty()
