"""The report and the listening pages in the real Chromium, opened as files, with no server and no network."""

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from bed.made_study import SECRET, clip, finished, question
from idlora_batch import ledger
from idlora_batch.study import listening, page, reading
from idlora_batch.study.strip import stripped

OPTIONS = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run", "--mute-audio"]
TELLING = (SECRET, "warp", "plain base", "fast", "exact", "ann.wav", "small.json", "Line 1")


@pytest.fixture(scope="module")
def browser(chromium: Path) -> Iterator[Browser]:
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=chromium, args=OPTIONS)
        yield launched
        launched.close()


@pytest.fixture
def window(browser: Browser) -> Iterator[Page]:
    """A page that fails the test when it throws, or asks for anything but files."""
    context = browser.new_context(accept_downloads=True)
    opened = context.new_page()
    problems: list[str] = []
    opened.on("pageerror", lambda error: problems.append(str(error)))
    opened.on("dialog", lambda dialog: problems.append(f"dialog {dialog.message}") or dialog.dismiss())
    opened.on(
        "request", lambda request: request.url.startswith(("file:", "blob:")) or problems.append(request.url)
    )
    yield opened
    context.close()
    assert problems == []


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """A finished study and its listening pages."""
    asked = question()
    store = finished(tmp_path_factory.mktemp("study"), asked)
    listening.write(asked, store)
    page.write(asked, store)
    return asked, store


def file_of(study, kind: str) -> Path:
    return study[1].folder / "listening" / kind / "index.html"


def begin(window: Page, file: Path, listener: str) -> None:
    window.goto(file.as_uri())
    window.fill("#listener", listener)
    window.click("text=Begin")
    window.wait_for_selector("#test:not([hidden])")


def order(window: Page) -> list[list[str]]:
    return window.evaluate("order.map(trial => trial.clips)")


def export(window: Page) -> list[dict[str, str]]:
    with window.expect_download() as download:
        window.click("#export")
    return list(csv.DictReader(io.StringIO(download.value.path().read_text(encoding="utf-8"))))


@pytest.mark.parametrize("kind", ["ab", "mos"])
def test_order_and_side_follow_from_the_listener(study, window, kind):
    orders = []
    for listener in ("ann", "ben", "ann"):
        begin(window, file_of(study, kind), listener)
        orders.append(order(window))
        window.evaluate("localStorage.clear()")
    assert orders[0] == orders[2] != orders[1]
    assert sorted(map(sorted, orders[0])) == sorted(map(sorted, orders[1]))
    if kind == "ab":
        assert {tuple(clips) for clips in orders[0]} != {tuple(clips) for clips in orders[1]}, (
            "no side differs"
        )


@pytest.mark.parametrize("kind", ["ab", "mos"])
def test_nothing_that_a_listener_gets_tells_a_setting(study, window, kind):
    folder = file_of(study, kind).parent
    assert {path.suffix for path in folder.iterdir()} == {".html", ".mp4"}
    for path in folder.iterdir():
        content = path.read_bytes()
        assert not [word for word in TELLING if word.encode() in content], path
    begin(window, file_of(study, kind), "ann")
    assert not [word for word in TELLING if word in window.content()]
    names = {path.name for path in folder.glob("*.mp4")}
    assert not names & {line["clip"].removeprefix("clips/") for line in ledger.lines(study[1])}
    assert not (folder.parent / listening.KEY).exists() and (study[1].folder / listening.KEY).is_file()


def test_which_one_is_the_base_does_not_show_in_the_order_of_the_source(tmp_path):
    asked = question(cases=10)
    store = finished(tmp_path, asked)
    listening.write(asked, store)
    key = reading.key_of(store)["ab"]
    text = (tmp_path / "listening" / "ab" / "index.html").read_text()
    data = json.loads(text.partition('type="application/json">')[2].partition("</script>")[0])
    firsts = [key[trial["clips"][0]]["setting"] for trial in data["trials"]]
    assert len(firsts) == 20 and 2 <= firsts.count("plain base") <= 18


def test_answers_survive_a_reload_and_are_exported_as_given(study, window):
    asked, store = study
    key = reading.key_of(store)["ab"]
    begin(window, file_of(study, "ab"), "=ann, the 1st")
    clips = order(window)
    assert len(clips) == 6
    given = []
    for number, (left, right) in enumerate(clips):
        if number == 3:
            window.reload()
            window.wait_for_selector("#test:not([hidden])")
            assert window.inner_text("#place") == "4 of 6, 3 answered"
        warp = 0 if key[left]["setting"] == "warp drive" else 1
        choice = "tie" if number == 0 else str(warp)
        window.click(f'[data-answer="{choice}"]')
        given.append("tie" if number == 0 else (left, right)[warp])
    lines = export(window)
    assert [line["answer"] for line in lines] == given
    assert [[line["left"], line["right"]] for line in lines] == clips
    assert [line["position"] for line in lines] == list("123456")
    assert {line["listener"] for line in lines} == {"'=ann, the 1st"}
    window.click("#back")
    window.click('[data-answer="tie"]')
    assert export(window)[4]["answer"] == "tie"


def test_the_exported_answers_are_read_beside_the_key(study, window, tmp_path):
    asked, store = study
    key = reading.key_of(store)
    files = []
    for kind in ("ab", "mos"):
        begin(window, file_of(study, kind), "ann")
        for clips in order(window):
            is_warp = key[kind][clips[0]]["setting"] == "warp drive"
            answer = ("0" if is_warp else "1") if kind == "ab" else ("4" if is_warp else "2")
            window.click(f'[data-answer="{answer}"]')
        with window.expect_download() as download:
            window.click("#export")
        files.append(tmp_path / f"{kind}.csv")
        download.value.save_as(files[-1])
    answers = reading.read(files)
    (preferred,) = reading.preferences(asked, key, answers)
    assert (preferred.setting, preferred.counts.wins, preferred.counts.losses) == ("warp drive", 6, 0)
    base, warp = reading.marks(asked, key, answers)
    assert (base.own.mean, warp.own.mean) == (2.0, 4.0)
    assert warp.difference is not None and warp.difference.mean == 2.0
    assert "warp drive: preferred 6, base 0" in page.text(asked, store, [preferred], [base, warp])
    page.write(asked, store, [preferred], [base, warp])
    window.goto((store.folder / "study.html").as_uri())
    assert "Listeners" in window.inner_text("body") and window.locator("svg").count() >= 4
    assert "as published" in window.inner_text("body").lower() and "0.477" in window.inner_text("body")


def test_a_stripped_clip_keeps_everything_else_in_its_place():
    before = clip(7)
    after = stripped(before)
    assert len(after) == len(before) and after.endswith(before[-72:])
    assert SECRET.encode() not in after and stripped(after) == after
    with pytest.raises(ValueError, match="not an mp4"):
        stripped(b"\x1aE\xdf\xa3 webm")
    with pytest.raises(ValueError, match="do not fit together"):
        stripped(before[:-10])


def test_the_report_shows_sorts_and_filters_clips(study, window):
    window.goto((study[1].folder / "report.html").as_uri())
    assert window.inner_text("#summary") == "12 clips, 0 failed, 0 not rendered."
    assert window.locator("video").count() == 12
    assert window.locator("video").first.get_attribute("src").startswith("clips/")  # type: ignore[union-attr]
    window.select_option("#sort", "speech_share")
    window.select_option("#order", "-1")
    assert "warp" not in window.inner_text("h1") and "0.622" in window.inner_text("article >> nth=0")
    window.select_option("#score", "speech_share")
    window.fill("#least", "0.6")
    assert window.locator("article").count() == 6
    window.fill("#text", "exact")
    assert window.locator("article").count() == 0


def test_html_in_a_name_is_text(window, tmp_path):
    hostile = "</script><script>alert(1)</script><img src=x onerror=alert(2)>"
    finished(tmp_path, question(cases=1, seeds=(1,)), name=hostile)
    window.goto((tmp_path / "report.html").as_uri())
    assert hostile in window.inner_text("article >> nth=0")
    assert window.locator("article img").count() == 0


def test_pages_of_a_study_without_clips_are_refused(tmp_path):
    with pytest.raises(ValueError, match="need clips to compare"):
        listening.write(question(), finished(tmp_path, question(cases=0)))
    assert not (tmp_path / "listening").exists()
