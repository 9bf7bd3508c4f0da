"""The sampler shows what most people change, and a preset only what it reads."""

SAMPLER = "LTXIDLoRA_KSampler"
MOST_WIDGETS = 12
CHOOSE = """([id, name]) => {
    const widget = probe.node(id).widgets.find((widget) => widget.name === 'preset')
    widget.value = name
    widget.callback?.(name)
}"""


LABELS = "(id) => probe.node(id).widgets.map((widget) => widget.label ?? widget.name)"


def labels(page, node_id: str) -> list[str]:
    """What stands on the widgets."""
    return page.page.evaluate(LABELS, node_id)


def shown(page) -> dict:
    (node,) = page.nodes()
    return node["values"]


def test_at_most_twelve_widgets(page):
    node_id = page.add_node(SAMPLER)
    assert len(shown(page)) <= MOST_WIDGETS
    assert "video cfg" in labels(page, node_id), "under its own name, not the preset's"


def test_a_preset_shows_only_what_it_reads_and_custom_brings_its_values_back(page):
    node_id = page.add_node(SAMPLER)
    custom = shown(page)
    for preset in ("paper", "distilled"):
        page.page.evaluate(CHOOSE, [node_id, preset])
        assert list(shown(page)) == ["seed", "control_after_generate", "sampler_name", "preset"]
        assert "video cfg" not in labels(page, node_id)
    page.page.evaluate(CHOOSE, [node_id, "custom"])
    assert shown(page) == custom
