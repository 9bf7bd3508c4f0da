"""All that is known of some takes of one prompt: figures, the order, and both as text."""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from .measures import Measures
from .ranking import Place, Score, rank_takes

NOTE = (
    "Scores hold within this prompt and these models only; do not compare them with those of another prompt."
)


@dataclass(frozen=True)
class Take:
    """One take.

    Attributes:
        seed: by which it was sampled; None = not known.
        similarity: of its voice to the reference; word_error_rate and transcript: of its words. None = not measured.
    """

    seed: int | None
    measures: Measures
    similarity: float | None = None
    word_error_rate: float | None = None
    transcript: str | None = None

    @property
    def score(self) -> Score:
        return Score(self.measures.is_spoken, self.similarity, self.word_error_rate)

    @property
    def summary(self) -> str:
        """One line: voice, words, and what is worth knowing of the sound."""
        m = self.measures
        parts = [f"voice {self.similarity:.2f}"] if self.similarity is not None else []
        parts += (
            [f"{100 * self.word_error_rate:.0f} % words wrong"] if self.word_error_rate is not None else []
        )
        if m.onset_seconds is None or not m.is_spoken:
            parts.append("no speech")
        else:
            parts.append(f"{m.speech_seconds:.1f} s of speech from {m.onset_seconds:.1f} s on")
        parts += [f"pace {m.pace:.1f}"] if m.pace is not None else []
        parts += [f"{m.lufs:.0f} LUFS"] if math.isfinite(m.lufs) else ["silent"]
        parts += [f"clipped {100 * m.clipped_share:.1f} %"] if m.clipped_share >= 0.001 else []
        parts += [f"silence {100 * m.silent_share:.0f} %"] if m.silent_share >= 0.5 else []
        parts += ["repeats the reference"] if m.repeats_reference else []
        return ", ".join(parts)


@dataclass(frozen=True)
class TakesReport:
    """Takes in the order of their seeds, and their places, best first."""

    takes: tuple[Take, ...]
    places: tuple[Place, ...]
    noise_band: float
    words: str
    voice_encoder: str | None
    recogniser: str | None
    remarks: tuple[str, ...] = ()

    @property
    def winner(self) -> int:
        """Its number, from 0."""
        return self.places[0].take

    def name_of(self, take: int) -> str:
        """`seed 42`, or `take 1` where the seed is not known."""
        seed = self.takes[take].seed
        return f"take {take + 1}" if seed is None else f"seed {seed}"

    @property
    def status(self) -> str:
        tied = [self.name_of(place.take) for place in self.places[1:] if place.is_tied and place.rank == 1]
        best = f"Best of {len(self.takes)}: {self.name_of(self.winner)}, {self.takes[self.winner].summary}."
        return " ".join([best, *([f"Tied with {', '.join(tied)}."] if tied else []), *self.remarks])

    def as_dict(self) -> dict[str, Any]:
        """For a JSON file: nothing in it is infinite."""
        rows = [self._row(place) for place in self.places]
        return {
            "note": NOTE,
            "words": self.words,
            "voice_encoder": self.voice_encoder,
            "noise_band": self.noise_band,
            "recogniser": self.recogniser,
            "winner": {"take": self.winner + 1, "seed": self.takes[self.winner].seed},
            "takes": rows,
            "remarks": list(self.remarks),
        }

    def _row(self, place: Place) -> dict[str, Any]:
        take = self.takes[place.take]
        figures = {
            **asdict(take.measures),
            "similarity": take.similarity,
            "word_error_rate": take.word_error_rate,
        }
        rounded = {
            key: round(value, 4) if value is not None and math.isfinite(value) else None
            for key, value in figures.items()
        }
        head = {"rank": place.rank, "is_tied": place.is_tied, "why": place.why, "take": place.take + 1}
        return {**head, "seed": take.seed, **rounded, "transcript": take.transcript}


def report_on(
    takes: Sequence[Take],
    noise_band: float,
    words: str = "",
    voice_encoder: str | None = None,
    recogniser: str | None = None,
    remarks: Sequence[str] = (),
) -> TakesReport:
    """Rank takes; see `ranking.rank_takes`.

    Raises:
        ValueError: no takes.
    """
    places = tuple(rank_takes([take.score for take in takes], noise_band))
    return TakesReport(tuple(takes), places, noise_band, words, voice_encoder, recogniser, tuple(remarks))
