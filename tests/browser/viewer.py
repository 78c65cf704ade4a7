"""The slice viewer as a person finds it on the page."""

from typing import Any

from playwright.sync_api import Locator, Page, expect


def pane(page: Page, number: int = 0) -> Locator:
    """One of its pictures, counted from 0."""
    return page.locator(".pane").nth(number)


def expect_picture(page: Page, number: int = 0) -> Locator:
    """Wait until a picture is there with every stored value."""
    found = pane(page, number)
    expect(found).to_have_attribute("data-quality", "lossless")
    return found


def expect_slice(page: Page, plane: int, number: int = 0) -> None:
    """Wait until a picture shows this slice, counted from 1, whole."""
    expect(pane(page, number)).to_have_attribute("data-plane", str(plane))
    expect_picture(page, number)


# True once no run of the page was seen for half a second.
AT_REST = """() => {
  const running = document.querySelector(".stApp")?.dataset.testScriptState !== "notRunning";
  if (running || window.restingSince === undefined) window.restingSince = performance.now();
  return performance.now() - window.restingSince > 500;
}"""


def rest(page: Page) -> None:
    """Wait until the page is at rest: between two runs it only seems to be."""
    page.evaluate("delete window.restingSince")
    page.wait_for_function(AT_REST)


def press(page: Page, key: str) -> None:
    """Press a key of the page itself, which hears it once it is at rest."""
    rest(page)
    page.keyboard.press(key)


def slice_of(page: Page, number: int = 0) -> int:
    """The slice a picture shows, counted from 1."""
    return int(expect_picture(page, number).get_attribute("data-plane") or 0)


def drag(page: Page, picture: Locator, *way: tuple[float, float], button: Any = "left") -> None:
    """Press on a picture and move along places given as shares of its width and height."""
    box = picture.bounding_box()
    assert box is not None
    places = [(box["x"] + box["width"] * x, box["y"] + box["height"] * y) for x, y in way]
    page.mouse.move(*places[0])
    page.mouse.down(button=button)
    for place in places[1:]:
        page.mouse.move(*place, steps=5)
    page.mouse.up(button=button)


def ink(picture: Locator, colour: tuple[int, int, int], tolerance: int = 40) -> int:
    """Pixels of a picture's canvas that are about this colour."""
    counted = picture.locator("canvas").evaluate(
        """(canvas, [colour, tolerance]) => {
          const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
          let count = 0;
          for (let at = 0; at < data.length; at += 4) {
            if (colour.every((value, channel) => Math.abs(data[at + channel] - value) <= tolerance)) count += 1;
          }
          return count;
        }""",
        [list(colour), tolerance],
    )
    return int(counted)


def expect_ink(picture: Locator, colour: tuple[int, int, int], there: bool = True, tries: int = 100) -> None:
    """Wait until lines of this colour are drawn on a picture, or are gone from it."""
    for _ in range(tries):
        if (ink(picture, colour) > 20) is there:
            return
        picture.page.wait_for_timeout(100)
    raise AssertionError(f"lines of {colour} {'never came' if there else 'stayed'}")


def brightness(picture: Locator) -> float:
    """Mean grey level of a picture's canvas."""
    mean = picture.locator("canvas").evaluate(
        """(canvas) => {
          const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
          let sum = 0;
          for (let at = 0; at < data.length; at += 4) sum += data[at];
          return sum / (data.length / 4);
        }"""
    )
    return float(mean)
