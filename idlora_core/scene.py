"""A scene: several voices, each heard only in its own turns.

Every audio token of the clip belongs to the speakers of one turn, by the token's time. All voices lie in the window in
which ID-LoRA was trained, right before the clip; because no token attends to two voices (unless two people speak at once),
they may share positions, and each query sees what the model was trained on: one reference, then the clip.

Source: the split by time is ours; that identities need a place of their own is from Identity as Presence (arXiv
2603.17889), whose multi-subject weights are not released.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import torch
from torch import Tensor

from .families import UNKNOWN, ModelFamily
from .options import Numerics, checked_number, shown
from .reference import Reference
from .region import Region
from .turns import Turn

MAX_MEMBERS = 8
MAX_NAME = 60
MAX_STRENGTH = 4.0
TOKEN_WIDTH = 128
Placement = Literal["stacked", "queue"]
Spans = Sequence[tuple[float, float]]


@dataclass(frozen=True, eq=False)
class Member:
    """Somebody in the cast.

    Attributes:
        name: as it is read in the prompt.
        voice: None speaks in the model's own voice.
        region: where the person is in the picture; None is anywhere, or not in it.
        look: who that is in the picture, such as "the woman on the left".
        strength: of identity guidance in this person's turns, times the scale of the sampler; 1 leaves it as it is.
    """

    name: str
    voice: Reference | None = None
    region: Region | None = None
    look: str = ""
    strength: float = 1.0


@dataclass(frozen=True, eq=False)
class Scene:
    """Voices and turns, with the interface of `Reference`.

    Attributes:
        members: the cast.
        turns: at least one, in the order of the script.
        region_strength: 1 closes listeners' regions to speech, 0 leaves regions without effect.
        lead_in_seconds: how much is generated before the clip, which the times of the turns count from.
        placement: `stacked`: all voices right before the clip. `queue`: one before the other, for an ID-LoRA trained on
            several; none is yet.
    """

    members: tuple[Member, ...]
    turns: tuple[Turn, ...]
    region_strength: float = 1.0
    lead_in_seconds: float = 0.0
    placement: Placement = "stacked"

    @property
    def speaking(self) -> list[int]:
        """Who has a turn, in the order of the cast."""
        return sorted(frozenset().union(*(turn.speakers for turn in self.turns)))

    @property
    def voices(self) -> dict[int, Reference]:
        """Voices that are heard, by the place in the cast."""
        members = ((place, self.members[place].voice) for place in self.speaking)
        return {place: voice for place, voice in members if voice is not None}

    @property
    def voice_ranges(self) -> dict[int, range]:
        """Which tokens are whose voice; they stand at the start of the audio sequence."""
        ranges, start = {}, 0
        for place, voice in self.voices.items():
            ranges[place] = range(start, start + voice.num_tokens)
            start += voice.num_tokens
        return ranges

    @property
    def tokens(self) -> Tensor:
        """(1, T, 128), one voice after the other; T = 0 where nobody has a voice."""
        return torch.cat(
            [torch.zeros(1, 0, TOKEN_WIDTH), *(voice.tokens for voice in self.voices.values())], dim=1
        )

    @property
    def num_tokens(self) -> int:
        return sum(voice.num_tokens for voice in self.voices.values())

    def bounds(self, numerics: Numerics = "host") -> Tensor:
        """(1, 1, T, 2) seconds, all below 0."""
        parts = [torch.zeros(1, 1, 0, 2)]
        later = 0.0
        for voice in self.voices.values():
            bounds = voice.bounds(numerics) - later
            parts.append(bounds)
            if self.placement == "queue":
                later = -bounds.min().item()
        return torch.cat(parts, dim=2)

    @property
    def audio_vae(self) -> ModelFamily:
        """The family of the VAE that made the voices; the first that is known, where they differ."""
        families = [voice.audio_vae for voice in self.voices.values() if voice.audio_vae != UNKNOWN]
        return families[0] if families else UNKNOWN

    def turns_at(self, seconds: Sequence[float]) -> list[tuple[Turn, ...]]:
        """The turns whose span holds each time; none in a pause, several where the script has people talk at once.

        Args:
            seconds: from the start of what is generated, a lead-in included.
        """
        return self.turns_over([(time, time) for time in seconds])

    def turns_over(self, spans: Spans, margin_seconds: float = 0.0) -> list[tuple[Turn, ...]]:
        """The turns that share time with each span [start, end), widened by a margin at both sides."""
        found = []
        for start, end in spans:
            start, end = (
                start - self.lead_in_seconds - margin_seconds,
                end - self.lead_in_seconds + margin_seconds,
            )
            found.append(
                tuple(
                    turn for turn in self.turns if turn.start <= start < turn.end or start < turn.start < end
                )
            )
        return found

    def speakers_at(self, seconds: Sequence[float]) -> list[frozenset[int]]:
        """Whose voice each time has: that of its turn, or in a pause that of the nearest turn, the earlier if in doubt.

        Nobody's voice would be a state that the model never saw beside a voice.

        Args:
            seconds: from the start of what is generated, a lead-in included.

        Returns:
            Places in the cast, at least one each.
        """
        turns = self.turns_at(seconds)
        return [
            frozenset().union(*(turn.speakers for turn in (at or (self._nearest(time),))))
            for time, at in zip(seconds, turns, strict=True)
        ]

    def strengths_at(self, seconds: Sequence[float]) -> Tensor | None:
        """Weight of identity guidance at each time, the mean of its speakers': (T,) float32; None where all are 1."""
        if all(self.members[place].strength == 1.0 for place in self.speaking):
            return None
        strengths = [[self.members[p].strength for p in places] for places in self.speakers_at(seconds)]
        return torch.tensor([sum(values) / len(values) for values in strengths])

    def with_lead_in(self, seconds: float) -> "Scene":
        """The scene of a clip before which so much is generated."""
        return self if seconds == self.lead_in_seconds else replace(self, lead_in_seconds=seconds)

    def without_voices(self) -> "Scene":
        """Words and regions only, for a stage whose sound is finished."""
        return replace(self, members=tuple(replace(member, voice=None) for member in self.members))

    @property
    def listeners(self) -> list[int]:
        """Who has a region that is closed while others speak; nobody where the script has one name."""
        if self.region_strength == 0 or len(self.speaking) == 1:
            return []
        return [place for place, member in enumerate(self.members) if member.region is not None]

    @property
    def only_reference(self) -> Reference | None:
        """The voice of a script of one name, which is no more than a plain reference."""
        if len(self.speaking) != 1:
            return None
        member = self.members[self.speaking[0]]
        return member.voice if member.strength == 1.0 else None

    def _nearest(self, time: float) -> Turn:
        time -= self.lead_in_seconds
        return min(
            self.turns, key=lambda turn: (round(max(turn.start - time, time - turn.end), 6), turn.start)
        )


def with_member(cast: tuple[Member, ...], member: Member) -> tuple[Member, ...]:
    """The cast with one more.

    Raises:
        ValueError: no name, a name that a script cannot hold or that somebody has, a strength that is not from 0 to 4,
            or too many members.
    """
    name = member.name
    checked_number("identity_strength", member.strength, 0.0, MAX_STRENGTH)
    if not name.strip():
        raise ValueError("A Cast Member has no name. Give it the one that the script uses, such as Anna.")
    if len(name) > MAX_NAME:
        raise ValueError(f"The name of a Cast Member has {len(name)} characters; use at most {MAX_NAME}.")
    if bad := sorted(set(name) & set(':：+[]()!?,;"“”\n')):
        raise ValueError(
            f"The name '{shown(name)}' of a Cast Member holds {' '.join(bad)}, which a script cannot have in a name."
        )
    if name.casefold() in (other.name.casefold() for other in cast):
        raise ValueError(f"Two Cast Members are called {shown(name)}. Give each a name of its own.")
    if len(cast) >= MAX_MEMBERS:
        raise ValueError(
            f"The cast has {len(cast) + 1} members; a scene can have {MAX_MEMBERS}. Take out who never speaks."
        )
    return (*cast, member)
