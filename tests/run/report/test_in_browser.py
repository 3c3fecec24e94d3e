"""The report in a real browser: it opens, its layers switch, its parts lead to each other."""

from __future__ import annotations

import shutil

import pytest

from antisite.run.report import report_html

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no chromium is installed")
WIDTHS = (1400, 390)


@pytest.fixture(scope="module")
def browser():
    flags = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
    with playwright.sync_playwright() as started:
        chromium = started.chromium.launch(executable_path=CHROMIUM, args=flags)
        yield chromium
        chromium.close()


@pytest.fixture(scope="module")
def result(make_result, checked):
    return checked(make_result(n_each=2, n_channels=2))


@pytest.fixture(scope="module")
def address(result, tmp_path_factory):
    path = tmp_path_factory.mktemp("report") / "report.html"
    path.write_text(report_html(result), encoding="utf-8")
    return path.as_uri()


@pytest.fixture(scope="module")
def opened(browser, address):
    """One page for all tests, with what went wrong in it and what it asked for."""
    page = browser.new_page(viewport={"width": WIDTHS[0], "height": 900})
    faults, asked = [], []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("console", lambda message: faults.append(message.text))
    page.on("request", lambda request: asked.append(request.url))
    page.goto(address)
    yield page, faults, asked
    page.close()


@pytest.fixture
def page(opened):
    page = opened[0]
    page.set_viewport_size({"width": WIDTHS[0], "height": 900})
    page.click("[data-zoom='0']")
    return page


def _view(page):
    return [float(number) for number in page.get_attribute(".stage svg", "viewBox").split()]


def _centre(page):
    x, y, width, height = _view(page)
    return x + width / 2, y + height / 2


def _position(result, i):
    row = result.defects.set_index("id").loc[i]
    return row["x"], row["y"]


def _inner(result):
    """A defect so far inside that the view can be centred on it."""
    ny, nx = result.image.shape
    far = result.defects["x"].between(70, nx - 70) & result.defects["y"].between(55, ny - 55)
    return int(result.defects.loc[far, "id"].iloc[0])


def test_it_opens_without_a_fault_and_asks_for_nothing(opened, address):
    page, faults, asked = opened
    assert page.title() == "fake.tif · antisite"
    assert faults == []
    assert [url for url in asked if not url.startswith("data:")] == [address]


@pytest.mark.parametrize("width", WIDTHS)
def test_no_page_is_wider_than_its_window(page, width):
    page.set_viewport_size({"width": width, "height": 900})
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_a_switch_hides_marks_and_rows_of_its_kind_and_shows_them_again(page):
    for shown in (False, True):
        page.set_checked("[data-toggle='vacancy']", shown)
        assert page.is_visible("g[data-layer='vacancy'] .mark >> nth=0") == shown
        assert page.is_visible("tr[data-layer='vacancy'] >> nth=0") == shown
        assert page.is_visible("tr[data-layer='dim_site'] >> nth=0")


def test_the_veil_and_the_detectors_are_switched(page):
    page.uncheck("[data-toggle='veil']")
    assert not page.is_visible("image.veil")
    page.check("[data-toggle='veil']")
    page.check("[name='channel'][value='1']")
    assert [page.is_visible(f"[data-channel='{i}']") for i in (0, 1)] == [False, True]
    page.check("[name='channel'][value='0']")


def test_wheel_buttons_and_keys_zoom_and_reset(page):
    whole = _view(page)
    page.hover(".stage svg")
    page.mouse.wheel(0, -300)
    page.wait_for_function(f"document.querySelector('.stage svg').viewBox.baseVal.width < {whole[2]} - 1")
    wheeled = _view(page)
    page.click("[data-zoom='1.6']")
    assert _view(page)[2] == pytest.approx(wheeled[2] / 1.6)
    page.focus(".stage svg")
    page.keyboard.press("-")
    assert _view(page)[2] == pytest.approx(wheeled[2])
    page.keyboard.press("0")
    assert _view(page) == whole


def test_dragging_moves_the_view_and_never_beyond_the_image(page, result):
    for _ in range(2):
        page.click("[data-zoom='1.6']")
    before = _view(page)
    box = page.locator(".stage svg").bounding_box()
    middle = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(*middle)
    page.mouse.down()
    page.mouse.move(middle[0] - 50, middle[1], steps=4)
    page.mouse.up()
    assert _view(page)[0] - before[0] == pytest.approx(50 * before[2] / box["width"], rel=1e-3)
    page.mouse.move(*middle)
    page.mouse.down()
    page.mouse.move(middle[0] - 5000, middle[1] - 5000, steps=4)
    page.mouse.up()
    x, y, width, height = _view(page)
    assert (x + width, y + height) == pytest.approx(
        (result.image.shape[1] - 0.5, result.image.shape[0] - 0.5)
    )


def test_the_scale_bar_tells_its_length_at_every_zoom(page, result):
    for presses in range(5):
        told = page.text_content(".scale text")
        bar = page.locator(".scale rect").bounding_box()["width"]
        shown = page.locator(".stage svg").bounding_box()["width"] / _view(page)[2]
        nanometres = bar / shown * result.image.pixel_size / 10
        assert nanometres == pytest.approx(float(told.removesuffix(" nm")), rel=0.05), presses
        page.click("[data-zoom='1.6']")


def test_a_row_leads_to_its_defect(page, result):
    i = _inner(result)
    page.click(f"#r{i} td:nth-child(2)")
    assert _centre(page) == pytest.approx(_position(result, i), abs=0.5)
    assert _view(page)[2] < result.image.shape[1]
    assert page.text_content(".told").startswith(f"#{i} ")
    assert page.evaluate("[...document.querySelectorAll('.chosen')].map(e => e.id)")[:2] == [f"m{i}", f"r{i}"]


def test_a_mark_leads_to_its_row_and_moves_nothing(page, result):
    i = int(result.defects["id"].iloc[-1])
    whole = _view(page)
    page.click(f"#m{i}")
    assert "chosen" in page.get_attribute(f"#r{i}", "class")
    assert _view(page) == whole
    row, table = (page.locator(place).bounding_box() for place in (f"#r{i}", ".tall"))
    assert table["y"] <= row["y"] <= table["y"] + table["height"]


def test_a_picture_of_the_gallery_leads_to_its_defect_even_if_switched_off(page, result):
    i = _inner(result)
    kind = result.defects.set_index("id").loc[i, "kind"]
    page.uncheck(f"[data-toggle='{kind}']")
    page.click(f"figure a[href='#m{i}']")
    assert _centre(page) == pytest.approx(_position(result, i), abs=0.5)
    assert page.is_checked(f"[data-toggle='{kind}']")


def test_a_click_on_a_heading_sorts_up_and_then_down(page):
    def column():
        cells = page.locator(".defects tbody td:nth-child(5)").all_text_contents()
        return [float(cell.replace("−", "-")) for cell in cells]

    page.click("th:text-is('z')")
    assert column() == sorted(column())
    page.click("th:text-is('z')")
    assert column() == sorted(column(), reverse=True)


def test_without_its_script_the_page_says_the_same(browser, address, result):
    still = browser.new_page(viewport={"width": WIDTHS[0], "height": 900}, java_script_enabled=False)
    still.goto(address)
    assert still.is_visible(".stage image >> nth=0")
    assert still.locator(".mark:visible").count() == len(result.defects)
    assert not still.is_visible("[data-zoom='0']")
    still.click(f"#r{_inner(result)} a")
    assert still.url.endswith(f"#m{_inner(result)}")
    still.close()


def test_a_pinch_zooms_about_its_middle(browser, address):
    context = browser.new_context(viewport={"width": WIDTHS[1], "height": 800}, has_touch=True)
    page = context.new_page()
    page.goto(address)
    page.locator(".stage").scroll_into_view_if_needed()
    box, before = page.locator(".stage svg").bounding_box(), _view(page)
    middle = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    touch = context.new_cdp_session(page)

    def fingers(kind, *apart):
        points = [{"x": middle[0] + side, "y": middle[1], "id": i} for i, side in enumerate(apart)]
        touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    fingers("touchStart", -30, 30)
    for reach in (40, 50, 60):
        fingers("touchMove", -reach, reach)
    fingers("touchEnd")
    assert _view(page)[2] == pytest.approx(before[2] / 2, rel=0.05)
    context.close()


@pytest.fixture(scope="module")
def crossed(browser, make_result, with_planar, tmp_path_factory):
    """A page with lines and dislocations, and its result."""
    result = with_planar(make_result(n_each=1))
    path = tmp_path_factory.mktemp("lines") / "report.html"
    path.write_text(report_html(result), encoding="utf-8")
    page = browser.new_page(viewport={"width": WIDTHS[0], "height": 900})
    page.goto(path.as_uri())
    yield page, result
    page.close()


@pytest.mark.parametrize("width", WIDTHS)
def test_a_page_with_lines_is_not_wider_than_its_window(crossed, width):
    page = crossed[0]
    page.set_viewport_size({"width": width, "height": 900})
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.set_viewport_size({"width": WIDTHS[0], "height": 900})


def test_lines_dislocations_and_grains_are_switched_each_by_itself(crossed):
    page = crossed[0]
    for layer, at_first in (("grain_boundary", True), ("dislocation", True), ("grains", False)):
        for shown in (at_first, not at_first, at_first):
            page.set_checked(f"[data-toggle='{layer}']", shown)
            assert page.is_visible(f"[data-layer='{layer}'] .mark, image[data-layer='{layer}']") == shown


def test_a_row_of_the_boundaries_shows_the_whole_line(crossed):
    page, result = crossed
    line = result.summary["planar"]["boundaries"][1]
    page.click(f"#grains td a[href='#m{line['id']}']")
    assert page.text_content(".told").startswith(f"#{line['id']} stacking fault")
    x, y, width, height = _view(page)
    for px, py in line["path"]:
        assert x <= px <= x + width
        assert y <= py <= y + height
    page.click("[data-zoom='0']")


def test_a_line_takes_no_clicks_beside_itself(crossed):
    page, result = crossed
    page.locator(".stage svg").scroll_into_view_if_needed()
    box = page.locator(".stage svg").bounding_box()
    scale = box["width"] / result.image.shape[1]
    page.evaluate("document.querySelectorAll('.chosen').forEach((e) => e.classList.remove('chosen'))")
    boundary = result.summary["planar"]["boundaries"][0]["id"]
    page.mouse.click(box["x"] + 268 * scale, box["y"] + 330 * scale)  # within its box, off the line
    assert "chosen" not in (page.get_attribute(f"#m{boundary}", "class") or "")
    page.mouse.click(box["x"] + 293 * scale, box["y"] + 340 * scale)
    assert "chosen" in page.get_attribute(f"#m{boundary}", "class")


def test_the_methods_can_be_copied(page):
    page.click("[data-copy]")
    chosen = page.evaluate("getSelection().toString()")
    assert chosen.startswith("Point defects were located with antisite")
    assert "Benjamini" in chosen
