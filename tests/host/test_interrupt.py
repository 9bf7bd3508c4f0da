"""Cancellation and two runs at once: the host goes on, and the next run is right."""

from support.host_client import failure
from support.small_graph import small_graph
from support.video import DIFFERENT, SAME

LONG = {"steps": 400, "seed": 77}


def test_an_interrupted_run_stops_and_the_next_is_right(studio, render):
    before = render(small_graph(sample={"seed": 5}))
    prompt_id = studio.post_prompt(small_graph(sample=LONG))
    studio.wait_until_sampling(prompt_id, 400)
    studio.interrupt()
    entry = studio.wait(prompt_id, timeout=60)
    assert (failure(entry) or "").startswith("Interrupted in LTXIDLoRA_KSampler")
    render(small_graph(sample={"seed": 6}))
    again = render(small_graph(sample={"seed": 5}, save={"filename_prefix": "test/again"}))
    assert again.distance(before) < SAME


def test_two_queued_runs_give_what_each_gives_alone(studio, render):
    alone = [render(small_graph(sample={"seed": seed, "steps": 3})) for seed in (11, 12)]
    graphs = [small_graph(sample={"seed": seed, "steps": 3}, lora={"strength": 0.999}) for seed in (11, 12)]
    prompt_ids = [studio.post_prompt(graph) for graph in graphs]
    assert all(failure(studio.wait(prompt_id)) is None for prompt_id in prompt_ids)
    again = [render(small_graph(sample={"seed": seed, "steps": 3})) for seed in (11, 12)]
    assert all(a.distance(b) < SAME for a, b in zip(again, alone, strict=True))
    assert alone[0].distance(alone[1]) > DIFFERENT
