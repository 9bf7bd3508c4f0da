"""A scene in a forward pass: who attends to whom, laid out by the times and places that the host gives its tokens.

Tokens are known by their time and place, never by their number: a lead-in, guides, context windows and references all move
them. The layout is computed when the host has placed its tokens, and kept for a run.
"""

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import torch

from ....idlora_core import scene_masks
from ....idlora_core.frames import FRAMES_PER_LATENT, PIXELS_PER_LATENT
from ....idlora_core.positions import latent_bounds
from ....idlora_core.scene import Scene
from ....idlora_core.scene_attention import Attention, Split, gated, in_parts, split_of
from ....idlora_core.scene_masks import Part, Range, VideoTokens
from .view import Layer, View

MOST = 8
"""Layouts that are kept: with and without voices, in each of a few context windows."""


@dataclass(frozen=True)
class Direction:
    """What a scene changes in one prediction. Equal ones may share a batch.

    Attributes:
        scene: with or without its voices.
        lines: [start, end) of each line's text tokens; None where all read the whole text.
        hides_text: voices read no text.
    """

    scene: Scene
    lines: tuple[Range, ...] | None = None
    hides_text: bool = False

    @property
    def splits_voices(self) -> bool:
        return bool(self.scene.voices) and len(self.scene.speaking) > 1

    @property
    def acts(self) -> bool:
        """Whether anything is changed."""
        return self.splits_voices or self.lines is not None or bool(self.scene.listeners)


@dataclass(eq=False)
class Layout:
    """Splits and gate of one scene for one set of tokens.

    Attributes:
        seconds: middle of each audio token of the clip.
        video: tokens of video.
        device: of the tokens.
    """

    scene: Scene
    seconds: Sequence[float]
    video: VideoTokens
    device: torch.device
    _made: dict[Hashable, Any] = field(default_factory=dict)

    def audio_self(self, num_keys: int) -> Split:
        return self._split("self", num_keys, lambda: scene_masks.audio_self_parts(self.scene, self.seconds))

    def audio_text(self, lines: tuple[Range, ...], hides_text: bool, num_keys: int) -> Split:
        # Where voices read nothing, their queries are answered before they come here.
        scene = self.scene.without_voices() if hides_text else self.scene
        return self._split(
            ("text", lines, hides_text),
            num_keys,
            lambda: scene_masks.audio_text_parts(scene, self.seconds, lines, num_keys),
        )

    def video_text(self, lines: tuple[Range, ...], num_keys: int) -> Split:
        return self._split(
            ("video text", lines),
            num_keys,
            lambda: scene_masks.video_text_parts(self.scene, self.video.spans, lines, num_keys),
        )

    def video_to_audio(self, num_keys: int) -> Split:
        return self._split(
            "video", num_keys, lambda: scene_masks.video_to_audio_parts(self.scene, self.seconds, self.video)
        )

    def gate(self) -> torch.Tensor | None:
        def make() -> torch.Tensor | None:
            gate = scene_masks.audio_to_video_gate(self.scene, self.video)
            return None if gate is None else gate.to(self.device)

        return self._once("gate", make)

    def _split(self, name: Hashable, num_keys: int, parts: Callable[[], list[Part]]) -> Split:
        return self._once((name, num_keys), lambda: split_of(parts(), num_keys, self.device))

    def _once(self, key: Hashable, make: Callable[[], Any]) -> Any:
        if key not in self._made:
            self._made[key] = make()
        return self._made[key]


class Layouts:
    """Keeps the layouts of a run: tokens lie in step after step where they lay in the first."""

    def __init__(self) -> None:
        self._kept: list[tuple[tuple, tuple[torch.Tensor, ...], Layout]] = []

    def clear(self) -> None:
        """Free the layouts of a run."""
        self._kept.clear()

    def layout(
        self,
        scene: Scene,
        coords: Sequence[torch.Tensor],
        extra: dict[str, Any],
        num_guides: int,
        frame_rate: float,
        window: Any,
    ) -> Layout:
        """The layout for tokens at these places.

        Args:
            coords: (B, 3, V, 2) in frames and pixels, and (B, 1, T, 2) in seconds, the voices first.
            extra: what the host tells of its input.
            num_guides: tokens of guides at the end of the video.
            window: the host's context window; None where there is none.
        """
        video, audio = coords[0][0], coords[1][0, 0, extra.get("ref_audio_seq_len", 0) :]
        frames, latents = _window_indices(window)
        key = (id(scene), tuple(extra["orig_shape"][-2:]), num_guides, float(frame_rate), frames, latents)
        for known_key, known, layout in self._kept:
            if known_key == key and all(map(_same, known, (video, audio))):
                return layout
        height, width = extra["orig_shape"][-2:]
        tokens = _video_tokens(video, num_guides, int(width), int(height), frame_rate, frames)
        layout = Layout(scene, _audio_seconds(audio, latents), tokens, video.device)
        self._kept = [*self._kept[1 - MOST :], (key, (video.clone(), audio.clone()), layout)]
        return layout


class _Stage:
    """Where the layout of a pass stands once the host has placed the tokens."""

    layout: Layout


def direct(
    view: View, direction: Direction, layouts: Layouts, options: dict[str, Any], frame_rate: float
) -> None:
    """Have a pass play a scene."""
    stage, scene = _Stage(), direction.scene

    def process_input(former, x, keyframe_idxs, denoise_mask, **kwargs):
        x, coords, extra = former(x, keyframe_idxs, denoise_mask, **kwargs)
        num_guides = _num_guides(keyframe_idxs, extra)
        stage.layout = layouts.layout(
            scene, coords, extra, num_guides, frame_rate, options.get("context_window")
        )
        return x, coords, extra

    view.override("_process_input", process_input)
    for layer, change in _changes(stage, direction).items():
        for block in range(len(view.blocks)):
            view.replace(block, layer, change)


def _changes(stage: _Stage, direction: Direction) -> dict[Layer, Attention]:
    """What is changed in which layer; nothing where the scene has nothing to change there."""
    scene, lines = direction.scene, direction.lines
    changes: dict[Layer, Attention] = {}
    if direction.splits_voices:
        changes["audio_attn1"] = partial(_split_call, lambda keys: stage.layout.audio_self(keys))
    if lines is not None:
        hides = direction.hides_text and bool(scene.voices)
        changes["attn2"] = partial(_split_call, lambda keys: stage.layout.video_text(lines, keys))
        changes["audio_attn2"] = partial(
            _split_call, lambda keys: stage.layout.audio_text(lines, hides, keys)
        )
    if scene.listeners:
        changes["audio_to_video_attn"] = partial(_gated_call, stage)
        changes["video_to_audio_attn"] = partial(_split_call, lambda keys: stage.layout.video_to_audio(keys))
    return changes


def _split_call(split: Callable[[int], Split], attend: Attention, q, k, v, *args, **kwargs) -> torch.Tensor:
    return in_parts(split(k.shape[1]), attend, q, k, v, *args, **kwargs)


def _gated_call(stage: _Stage, attend: Attention, q, k, v, *args, **kwargs) -> torch.Tensor:
    gate = stage.layout.gate()
    if gate is None:
        return attend(q, k, v, *args, **kwargs)
    return gated(gate, attend, q, k, v, *args, **kwargs)


def _num_guides(keyframe_idxs: torch.Tensor | None, extra: dict[str, Any]) -> int:
    """Tokens of guides, which stand behind the clip's; some may be left out by their mask."""
    if keyframe_idxs is None or keyframe_idxs.shape[2] == 0:
        return 0
    return int(extra["grid_mask"][-keyframe_idxs.shape[2] :].sum())


def _window_indices(window: Any) -> tuple[tuple[int, ...] | None, tuple[int, ...] | None]:
    """Latent frames and audio latents of a context window in the whole clip; (None, None) without one."""
    audio = (getattr(window, "modality_windows", None) or {}).get(1)
    if audio is None:
        return None, None
    anchor = getattr(window, "causal_anchor_index", None)  # a frame before the window, removed afterwards
    anchors = () if anchor is None or anchor < 0 else (anchor,)
    return (*anchors, *window.index_list), tuple(audio.index_list)


def _audio_seconds(bounds: torch.Tensor, latents: tuple[int, ...] | None) -> list[float]:
    """Middle of each audio token in the whole clip; in a window the host counts from the window's start."""
    if latents is not None:
        bounds = latent_bounds(max(latents) + 1)[0, 0, list(latents)]
    return bounds.float().mean(dim=-1).tolist()


def _video_tokens(
    coords: torch.Tensor,
    num_guides: int,
    width: int,
    height: int,
    frame_rate: float,
    frames: tuple[int, ...] | None,
) -> VideoTokens:
    """Time and cell of each token of video.

    Args:
        coords: (3, V, 2) frames and pixels, [start, end).
        frames: latent frames of a context window in the whole clip.
    """
    starts, ends = (coords[0, :, side].float().tolist() for side in (0, 1))
    num_own = len(starts) - num_guides
    times = list(zip(starts, ends, strict=True))
    if frames is not None:
        times = [
            _in_clip(start, frames) if i < num_own else (start, end) for i, (start, end) in enumerate(times)
        ]
    rows, columns = ((coords[axis, :, 0].float() / PIXELS_PER_LATENT).round().long().cpu() for axis in (1, 2))
    cells = rows * width + columns
    cells[num_own:] = -1
    return VideoTokens([(start / frame_rate, end / frame_rate) for start, end in times], cells, width, height)


def _in_clip(start: float, frames: tuple[int, ...]) -> tuple[float, float]:
    """Frames that a window's latent frame covers in the whole clip; the first latent of a clip is one frame."""
    frame = frames[int((start + FRAMES_PER_LATENT - 1) // FRAMES_PER_LATENT)]
    return max(FRAMES_PER_LATENT * (frame - 1) + 1, 0), FRAMES_PER_LATENT * frame + 1


def _same(known: torch.Tensor, given: torch.Tensor) -> bool:
    return known.shape == given.shape and known.device == given.device and torch.equal(known, given)
