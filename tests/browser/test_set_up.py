"""What the other tests rest on: the browser's set-up, and that complaints of a page are heard."""

import pytest

from dev_setup.chromium import NAMED, executable
from dev_setup.console import SetupError


def test_the_browser_of_these_tests_may_be_named(monkeypatch, chromium):
    monkeypatch.setenv(NAMED, str(chromium))
    assert executable() == chromium


@pytest.mark.parametrize("answer", ["exit 1", "echo 'Command not found: snap install chromium' >&2"])
def test_a_named_program_that_is_no_browser_is_refused(monkeypatch, tmp_path, answer):
    script = tmp_path / "chromium"
    script.write_text(f"#!/bin/sh\n{answer}\n")
    script.chmod(0o755)
    monkeypatch.setenv(NAMED, str(script))
    with pytest.raises(SetupError, match="does not start"):
        executable()


def test_errors_that_name_us_and_uncaught_ones_are_heard(open_page):
    page = open_page("classic")
    with page.page.expect_event("pageerror"):
        page.page.evaluate(
            """() => {
                console.error("something of another pack")
                console.error("LTXIDLoRA_Load broke")
                setTimeout(() => { throw new Error("nobody caught this") })
            }"""
        )
    heard, page.listener.problems = page.listener.problems, []
    assert "LTXIDLoRA_Load broke" in heard[0] and "nobody caught this" in heard[1]


def test_nodes_that_cover_each_other_are_seen(page):
    page.add_node("LTXIDLoRA_Load")
    assert page.overlaps() == []
    page.add_node("LTXIDLoRA_Prompt")
    assert page.overlaps() == [["Load ID-LoRA", "ID-LoRA Prompt"]]
