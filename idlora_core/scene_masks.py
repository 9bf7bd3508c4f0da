"""Who attends to whom in a scene: masks as formulas, and as the parts into which an attention call is split.

A part is a set of queries with the keys that they see. Running attention part by part equals a dense mask of minus infinity,
needs no mask tensor, and so leaves flash and sage attention in use. Trainers want the dense form: `dense_mask`.

With R_k the tokens of voice k, O the tokens of the clip, S(j) the speakers of token j and O_k those with k in S(j):

    audio self        R_k      sees  R_k + O_k
                      j in O   sees  R_k of all k in S(j), and O
    text              j        sees  all but the lines of other turns
    video to audio    j in O   sees  all video but what lies in the region of somebody not in S(j)
    audio to video    i        sees  O, and what it hears is multiplied with G(i)

    G(i) = 1 - strength * max over p of M_p(i) * [somebody speaks at t_i, and p does not]

A gate and not a mask of keys in audio to video: softmax sums to 1, so that somebody who may not hear the present would hear
some other time's speech instead. HunyuanVideo-Avatar gates faces in the same place.
"""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import torch
from torch import Tensor

from .region import coverage
from .scene import Scene, Spans

SPEAKING_MARGIN_SECONDS = 0.1
INSIDE = 0.5
"""How much of a token a region covers, at least, for the token to lie in it."""

Range = tuple[int, int]
Label = TypeVar("Label", bound=Hashable)


@dataclass(frozen=True, eq=False)
class Part:
    """One attention call of several.

    Attributes:
        queries: (Q,) indices.
        keys: (K,) indices that these queries see; None = all.
    """

    queries: Tensor
    keys: Tensor | None


@dataclass(frozen=True, eq=False)
class VideoTokens:
    """What a scene needs to know of video tokens.

    Attributes:
        spans: start and end of each token's frames, seconds, from the start of what is generated.
        cells: (V,) index of each token's cell in a picture of `width` x `height` cells; -1 = none (a guide's token).
        width, height: of the video latent.
    """

    spans: Spans
    cells: Tensor
    width: int
    height: int


def audio_self_parts(scene: Scene, seconds: Sequence[float]) -> list[Part]:
    """Audio self-attention of the voices and the clip.

    Args:
        seconds: middle of each audio token of the clip.
    """
    start = scene.num_tokens
    clip = torch.arange(start, start + len(seconds))
    speakers = scene.speakers_at(seconds)
    voices = {place: torch.arange(r.start, r.stop) for place, r in scene.voice_ranges.items()}
    parts = []
    for place, voice in voices.items():
        own = [index for index, places in enumerate(speakers) if place in places]
        parts.append(Part(voice, torch.cat([voice, clip[own]])))
    for places, members in _grouped(speakers).items():
        heard = [voices[place] for place in sorted(places) if place in voices]
        parts.append(Part(clip[members], torch.cat([*heard, clip])))
    return parts


def audio_text_parts(
    scene: Scene, seconds: Sequence[float], lines: Sequence[Range], num_text_tokens: int
) -> list[Part]:
    """Text attention of the voices and the clip: a voice reads the lines of its own turns, as it does in training.

    Args:
        lines: [start, end) of each line's text tokens.
        num_text_tokens: keys there are.
    """
    start = scene.num_tokens
    spoken = {
        place: frozenset(turn.line for turn in scene.turns if place in turn.speakers)
        for place in scene.voices
    }
    labels = [spoken[place] for place, tokens in scene.voice_ranges.items() for _ in tokens]
    labels += [frozenset(turn.line for turn in turns) for turns in scene.turns_at(seconds)]
    assert len(labels) == start + len(seconds)
    return _text_parts(labels, lines, num_text_tokens)


def video_text_parts(scene: Scene, spans: Spans, lines: Sequence[Range], num_text_tokens: int) -> list[Part]:
    """Text attention of video: a token sees the lines that are spoken in its frames."""
    labels = [frozenset(turn.line for turn in turns) for turns in _by_span(scene, spans, 0.0)]
    return _text_parts(labels, lines, num_text_tokens)


def video_to_audio_parts(scene: Scene, seconds: Sequence[float], video: VideoTokens) -> list[Part]:
    """What audio sees of the picture: a turn does not see the faces of the others. Voices see what they saw: all."""
    start = scene.num_tokens
    inside = {place: share > INSIDE for place, share in _shares(scene, video).items()}
    parts = [Part(torch.arange(start), None)] if start else []
    for places, members in _grouped(scene.speakers_at(seconds)).items():
        hidden = _any(inside, [p for p in inside if p not in places], len(video.cells))
        # What two regions share is the speaker's.
        hidden &= ~_any(inside, [p for p in inside if p in places], len(video.cells))
        keys = None if not hidden.any() else (~hidden).nonzero()[:, 0]
        parts.append(Part(torch.tensor(members) + start, keys))
    return parts


def audio_to_video_gate(scene: Scene, video: VideoTokens) -> Tensor | None:
    """G of the module's docstring: (V,) float32 in [0, 1]; None where it is 1 everywhere.

    "Speaks at t" is: has a turn within 0.1 s of the token's frames. What two regions share is the speaker's.
    """
    shares = _shares(scene, video)
    if not shares:
        return None
    gate = torch.ones(len(video.cells))
    speakers = [
        frozenset().union(*(turn.speakers for turn in turns)) for turns in _by_span(scene, video.spans)
    ]
    for places, members in _grouped(speakers).items():
        if not places:
            continue
        own = _most(shares, [p for p in shares if p in places], len(video.cells))
        others = _most(shares, [p for p in shares if p not in places], len(video.cells))
        gate[members] = 1.0 - scene.region_strength * (others - own).clamp(min=0)[members]
    return None if bool((gate == 1.0).all()) else gate


def dense_mask(parts: Sequence[Part], num_keys: int) -> Tensor:
    """(Q, K) of bool, True where a query sees a key: what the parts compute, for trainers and tests."""
    mask = torch.zeros(sum(len(part.queries) for part in parts), num_keys, dtype=torch.bool)
    for part in parts:
        keys = torch.arange(num_keys) if part.keys is None else part.keys
        mask[part.queries[:, None], keys[None]] = True
    return mask


def _text_parts(labels: Sequence[frozenset[int]], lines: Sequence[Range], num_keys: int) -> list[Part]:
    parts = []
    for spoken, members in _grouped(labels).items():
        seen = torch.ones(num_keys, dtype=torch.bool)
        for line, (start, end) in enumerate(lines):
            seen[start:end] &= line in spoken
        keys = None if bool(seen.all()) else seen.nonzero()[:, 0]
        parts.append(Part(torch.tensor(members), keys))
    return parts


def _by_span(scene: Scene, spans: Spans, margin_seconds: float = SPEAKING_MARGIN_SECONDS) -> list:
    """Turns of each span; the tokens of one frame share theirs, so each span is looked up once."""
    distinct = list(dict.fromkeys(spans))
    turns = dict(zip(distinct, scene.turns_over(distinct, margin_seconds), strict=True))
    return [turns[span] for span in spans]


def _shares(scene: Scene, video: VideoTokens) -> dict[int, Tensor]:
    """How much of each token lies in the region of each member who has one: (V,); 0 for tokens without a cell."""
    shares = {}
    for place, member in enumerate(scene.members):
        if member.region is not None and scene.listeners:
            cells = coverage(member.region, video.width, video.height).flatten()
            shares[place] = torch.where(video.cells >= 0, cells[video.cells.clamp(min=0)], 0.0)
    return shares


def _any(inside: dict[int, Tensor], places: list[int], num_tokens: int) -> Tensor:
    found = torch.zeros(num_tokens, dtype=torch.bool)
    for place in places:
        found |= inside[place]
    return found


def _most(shares: dict[int, Tensor], places: list[int], num_tokens: int) -> Tensor:
    most = torch.zeros(num_tokens)
    for place in places:
        most = torch.maximum(most, shares[place])
    return most


def _grouped(labels: Sequence[Label]) -> dict[Label, list[int]]:
    """Indices by label, labels in the order in which they come."""
    groups: dict[Label, list[int]] = {}
    for index, label in enumerate(labels):
        groups.setdefault(label, []).append(index)
    return groups
