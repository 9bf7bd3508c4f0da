"""Tokens are known by their time: frame rates, lead-in, guides, context windows, a second stage, a batch of two."""

from dataclasses import replace

import comfy.context_windows as windows
import pytest
import torch

from idlora_core.positions import latent_bounds
from idlora_core.terms import Scales
from idlora_pack.nodes.host.forward import scene as forward_scene
from support.clip import AUDIO_SHAPE, VIDEO_SHAPE, made_clip
from support.deviation import relative_l2
from support.scenes import REGIONS, two_speakers, with_lines

OFF = {"video": Scales(), "audio": Scales()}
FRAMES, CELLS = VIDEO_SHAPE[2], VIDEO_SHAPE[3] * VIDEO_SHAPE[4]


@pytest.fixture
def layouts(monkeypatch):
    """The layouts that are made."""
    made = []

    class Recorded(forward_scene.Layout):
        def __init__(self, *args):
            super().__init__(*args)
            made.append(self)

    monkeypatch.setattr(forward_scene, "Layout", Recorded)
    return made


def at_rate(clip, frame_rate):
    positive, negative = with_lines(clip)
    return tuple([[text, {**values, "frame_rate": frame_rate}]] for ((text, values),) in (positive, negative))


def span(frame, frame_rate):
    """Seconds that a latent frame covers."""
    return max(8 * frame - 7, 0) / frame_rate, (8 * frame + 1) / frame_rate


@pytest.mark.parametrize("frame_rate", [24.0, 25.0, 30.0])
def test_tokens_have_their_absolute_times(guide, clip, layouts, frame_rate):
    guide(two_speakers(REGIONS), conditioning=at_rate(clip, frame_rate), **OFF)
    (layout,) = layouts
    assert layout.seconds == pytest.approx(latent_bounds(AUDIO_SHAPE[2]).mean(dim=-1).flatten().tolist())
    expected = [span(frame, frame_rate) for frame in range(FRAMES) for _ in range(CELLS)]
    assert [*map(list, layout.video.spans)] == [pytest.approx(list(pair)) for pair in expected]
    assert layout.video.cells.tolist() == [*range(CELLS)] * FRAMES


def test_a_layout_is_made_once_for_all_steps_and_predictions_alike(guide, clip, layouts):
    sigmas = torch.tensor([1.0, 0.9, 0.5, 0.0])
    guide(two_speakers(REGIONS), sigmas=sigmas, conditioning=with_lines(clip))
    assert len(layouts) == 2, "with voices and without"


def longer(clip, frames=6, latents=42):
    """A clip of more frames, for windows."""
    generator = torch.Generator().manual_seed(4)

    def noise(*shape):
        return torch.randn(shape, generator=generator)

    mask = torch.ones(1, 1, frames, *VIDEO_SHAPE[3:])
    mask[:, :, :1] = 0
    return replace(
        clip,
        video_noise=noise(1, 128, frames, *VIDEO_SHAPE[3:]),
        audio_noise=noise(1, 8, latents, 16),
        clean_video=torch.zeros(1, 128, frames, *VIDEO_SHAPE[3:]),
        video_mask=mask,
    )


@pytest.mark.parametrize("causal_window_fix", [True, False])
def test_a_context_window_has_the_times_of_the_whole_clip(guide, clip, model, layouts, causal_window_fix):
    windowed, given = model.clone(), longer(clip)
    windowed.model_options["context_handler"] = windows.IndexListContextHandler(
        context_schedule=windows.get_matching_context_schedule(windows.ContextSchedules.STATIC_STANDARD),
        fuse_method=windows.get_matching_fuse_method(windows.ContextFuseMethods.PYRAMID),
        context_length=3,
        context_overlap=1,
        dim=2,
        causal_window_fix=causal_window_fix,
    )
    guide(two_speakers(REGIONS), on=windowed, given=given, conditioning=with_lines(clip), **OFF)
    assert len(layouts) >= 2
    times = latent_bounds(42).mean(dim=-1).flatten().tolist()
    whole = [span(frame, 25.0) for frame in range(6)]
    for layout in layouts:
        assert all(min(abs(second - time) for time in times) < 1e-4 for second in layout.seconds)
        assert all(min(abs(a - b) for b, _ in whole) < 1e-4 for a, _ in layout.video.spans)
    last = layouts[-1]
    assert max(end for _, end in last.video.spans) == pytest.approx(whole[-1][1])
    assert last.seconds[-1] == pytest.approx(times[-1]) and last.seconds[0] > 0.5


@pytest.mark.parametrize("masks", [{}, {"hide_text_from_reference": True, "hide_reference_from_video": True}])
def test_guides_have_their_time_and_no_region(guide, clip, layouts, masks):
    """A guide's frame stands behind the clip's, as LTXVAddGuide puts it there."""
    frames = FRAMES + 1
    generator = torch.Generator().manual_seed(6)
    guided = replace(
        clip,
        video_noise=torch.randn((1, 128, frames, *VIDEO_SHAPE[3:]), generator=generator),
        clean_video=torch.cat([clip.clean_video, clip.clean_video[:, :, :1]], dim=2),
        video_mask=torch.cat([clip.video_mask, torch.zeros(1, 1, 1, *VIDEO_SHAPE[3:])], dim=2),
    )
    rows, columns = torch.meshgrid(*(torch.arange(n) * 32.0 for n in VIDEO_SHAPE[3:]), indexing="ij")
    starts = torch.stack([torch.full((CELLS,), 9.0), rows.flatten(), columns.flatten()])
    coords = torch.stack([starts, starts + torch.tensor([[8.0], [32.0], [32.0]])], dim=-1)[None]
    positive, negative = with_lines(clip)
    keyed = [[[text, {**values, "keyframe_idxs": coords}]] for ((text, values),) in (positive, negative)]
    scene = two_speakers(REGIONS)
    streams = guide(scene, given=guided, conditioning=tuple(keyed), **OFF, **masks)
    assert all(stream.isfinite().all() for stream in streams)
    (layout,) = layouts
    times = latent_bounds(AUDIO_SHAPE[2]).mean(dim=-1).flatten().tolist()
    assert layout.scene.speakers_at(layout.seconds) == scene.speakers_at(times)
    assert [*map(list, layout.video.spans[: FRAMES * CELLS])] == [
        pytest.approx(list(span(frame, 25.0))) for frame in range(FRAMES) for _ in range(CELLS)
    ]
    assert layout.video.cells[: FRAMES * CELLS].tolist() == [*range(CELLS)] * FRAMES
    own, guides = FRAMES * CELLS, CELLS
    assert len(layout.video.spans) == own + guides
    assert layout.video.cells[own:].tolist() == [-1] * guides
    assert layout.video.spans[-1] == pytest.approx((9 / 25, 17 / 25))
    assert layout.gate() is not None and layout.gate()[own:].tolist() == [1.0] * guides


def test_a_lead_in_moves_voices_words_and_faces(guide, clip, layouts):
    scene = two_speakers(REGIONS)
    guide(scene, conditioning=with_lines(clip), **OFF)
    guide(scene.with_lead_in(0.32), conditioning=with_lines(clip), **OFF)
    plain, moved = layouts
    assert plain.seconds == moved.seconds
    (_, gate), (_, later) = ((layout, layout.gate().reshape(FRAMES, CELLS)) for layout in (plain, moved))
    assert gate[1, 2] == 0 and gate[2, 2] == 1, "Ben's face opens in the last latent frame"
    assert later[1, 2] == 0 and later[2, 2] == 0, "and not before his turn, which comes 0.32 s later"


def test_a_second_stage_gates_the_same_part_of_the_picture(guide, clip, layouts):
    shape = (1, 128, FRAMES, 4, 6)
    generator = torch.Generator().manual_seed(8)
    doubled = replace(
        clip,
        video_noise=torch.randn(shape, generator=generator),
        clean_video=torch.zeros(shape),
        video_mask=torch.ones(1, 1, *shape[2:]),
    )
    guide(two_speakers(REGIONS), **OFF)
    guide(two_speakers(REGIONS), given=doubled, keeps_sound=True, **OFF)
    small, large = (layout.gate() for layout in layouts)
    small = small.reshape(FRAMES, 2, 3)
    assert torch.equal(large.reshape(FRAMES, 4, 6), small.repeat_interleave(2, 1).repeat_interleave(2, 2))


def test_a_batch_of_two_is_two_clips(guide, clip, model):
    other = made_clip(model.model.diffusion_model, seed=9)

    def joined(name):
        return torch.cat([getattr(clip, name), getattr(other, name)])

    names = ("video_noise", "audio_noise", "clean_video", "video_mask")
    both = replace(clip, **{name: joined(name) for name in names})
    scene, words = two_speakers(REGIONS), with_lines(clip)
    together = guide(scene, given=both, conditioning=words, **OFF)
    first = guide(scene, conditioning=words, **OFF)
    second = guide(scene, given=replace(other, texts=clip.texts), conditioning=words, **OFF)
    for stream, alone in enumerate(zip(first, second, strict=True)):
        for row, expected in enumerate(alone):
            assert relative_l2(together[stream][row : row + 1], expected) < 1e-5
