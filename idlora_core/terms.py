"""The table of guidance terms, and the scales that weigh them.

    pred = cond + sum over terms of (scale - off) * (cond - other)

    term         other prediction   off   changes
    cfg          uncond             1     the prompt (negative; the reference stays)
    identity     no_reference       1     the reference audio is left out
    stg          perturbed          0     self-attention of the STG blocks passes its values through
    av_bimodal   uncoupled          1     audio and video do not attend to each other

Source: arXiv 2603.10256, section 3.4 (eq. 5 for identity) and 4.4. The weight of a term is
`scale - off`; weight 0 is the only meaning of off, and a prediction whose weights are all 0 is not run.

A fifth guidance is one more row of `TERMS`: widgets, windows, presets, plan, forward pass, status line and
plot are loops over it.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Prediction = str
"""`cond`, or the prediction of a term."""
TermName = str
Stream = Literal["video", "audio"]
Mark = Literal["circle", "square", "triangle", "diamond", "arrow", "bar"]

MAX_SCALE = 100.0


@dataclass(frozen=True)
class Change:
    """What one prediction changes in the forward pass. The default is `cond`, which changes nothing.

    Attributes:
        negative_prompt: the negative conditioning takes the place of the positive one.
        without_reference: the reference tokens are left out.
        perturbed: self-attention of the STG blocks passes its values through.
        uncoupled: audio and video do not attend to each other, in any block.
    """

    negative_prompt: bool = False
    without_reference: bool = False
    perturbed: bool = False
    uncoupled: bool = False


@dataclass(frozen=True)
class Knob:
    """A number that a person sets: the scale of a term in one stream or in both.

    Attributes:
        name: of the widget.
        streams: whose scale it sets.
        default: the paper's value.
        tooltip: in a user's words.
    """

    name: str
    streams: tuple[Stream, ...]
    default: float
    tooltip: str


@dataclass(frozen=True)
class Reuse:
    """How long `fast` goes on without a term's prediction; `idlora_core.extrapolation` has the rule.

    Attributes:
        held_gap, held_calls: while one whole call is known: the largest fall of sigma from that call to the end of
            the step, and how many calls.
        gap, calls: the same from the second whole call on, when a slope is known.
    """

    held_gap: float = 0.1
    held_calls: int = 4
    gap: float = 0.15
    calls: int = 4


@dataclass(frozen=True)
class Term:
    """All that a guidance term is.

    Attributes:
        scale: its name in `Scales`.
        prediction: what `cond` is compared with.
        off: the scale at which it does nothing.
        title: what people read.
        change: what its prediction changes in the forward pass.
        knobs: the widgets that set it.
        mark, colour: in the plot; told apart without colour by the mark.
        has_window: whether it can be limited to a part of the sampling.
        reuse: how long `fast` goes on without its prediction.
    """

    scale: TermName
    prediction: Prediction
    off: float
    title: str
    change: Change
    knobs: tuple[Knob, ...]
    mark: Mark
    colour: str
    has_window: bool = True
    reuse: Reuse = Reuse()


BOTH: tuple[Stream, ...] = ("video", "audio")

# Colours of Okabe and Ito, which colour-blind people tell apart.
TERMS = (
    Term(
        "cfg",
        "uncond",
        off=1.0,
        title="CFG",
        change=Change(negative_prompt=True),
        knobs=(
            Knob(
                "video_cfg",
                ("video",),
                3.0,
                "How closely the picture follows the prompt. Paper: 3. Off at 1.",
            ),
            Knob(
                "audio_cfg", ("audio",), 7.0, "How closely the sound follows the prompt. Paper: 7. Off at 1."
            ),
        ),
        mark="circle",
        colour="#0072b2",
        has_window=False,
        reuse=Reuse(held_gap=0.05, held_calls=2, gap=0.08, calls=1),
    ),
    Term(
        "identity",
        "no_reference",
        off=1.0,
        title="Identity guidance",
        change=Change(without_reference=True),
        knobs=(
            Knob(
                "identity_scale",
                ("audio",),
                4.0,
                "How strongly the voice is pulled towards the reference. Paper: 4; users report that distilled"
                " models sound better with 1.5-2. Off at 1. A value of 4.0 here is 3.0 in LTXV Reference Audio"
                " and in the authors' scripts, which count from 0.",
            ),
        ),
        mark="square",
        colour="#d55e00",
    ),
    Term(
        "stg",
        "perturbed",
        off=0.0,
        title="STG",
        change=Change(perturbed=True),
        knobs=(
            Knob(
                "stg_scale",
                BOTH,
                1.0,
                "Spatio-temporal guidance: away from a prediction whose self-attention is cut in some blocks."
                " Paper: 1. Off at 0.",
            ),
        ),
        mark="triangle",
        colour="#009e73",
    ),
    Term(
        "av_bimodal",
        "uncoupled",
        off=1.0,
        title="Audio-video guidance",
        change=Change(uncoupled=True),
        knobs=(
            Knob(
                "av_bimodal_scale",
                BOTH,
                3.0,
                "Audio-video (modality) guidance: away from a prediction in which picture and sound do not attend"
                " to each other. Paper: 3. Off at 1.",
            ),
        ),
        mark="diamond",
        colour="#a0307a",
        reuse=Reuse(held_gap=0.09),
    ),
)


@dataclass(frozen=True, init=False)
class Scales:
    """Guidance scales of one stream, video or audio: `Scales(cfg=7.0, identity=4.0)["cfg"]`.

    Args:
        rescale: rescales the standard deviation of the result towards that of `cond`; off at 0, 1 = fully.
        scales: by the name of the term; a term that is not given is off.

    Raises:
        TypeError: no term of that name.
        ValueError: a scale is not a finite number in [0, 100], or rescale is not in [0, 1].
    """

    values: Mapping[TermName, float]
    rescale: float

    def __init__(self, rescale: float = 0.0, **scales: float) -> None:
        if unknown := scales.keys() - {term.scale for term in TERMS}:
            raise TypeError(f"No guidance term is called {', '.join(sorted(unknown))}.")
        values = {term.scale: scales.get(term.scale, term.off) for term in TERMS}
        for name, value, limit in (
            *((n, v, MAX_SCALE) for n, v in values.items()),
            ("rescale", rescale, 1.0),
        ):
            if not (math.isfinite(value) and 0.0 <= value <= limit):
                raise ValueError(f"Guidance scale '{name}' is {value}; give a number from 0 to {limit:g}.")
        object.__setattr__(self, "values", values)
        object.__setattr__(self, "rescale", rescale)

    def __getitem__(self, name: TermName) -> float:
        return self.values[name]

    def replaced(self, **scales: float) -> "Scales":
        """These scales with some of them changed."""
        return Scales(**{"rescale": self.rescale, **self.values, **scales})

    @classmethod
    def of_knobs(cls, stream: Stream, knobs: Mapping[str, float], rescale: float = 0.0) -> "Scales":
        """What knobs, by name, set in a stream."""
        scales = {
            term.scale: knobs[knob.name] for term in TERMS for knob in term.knobs if stream in knob.streams
        }
        return cls(rescale, **scales)

    def weight(self, term: Term) -> float:
        """What the term's difference is multiplied with; 0 when the term is off."""
        return self.values.get(term.scale, term.off) - term.off


def change_of(prediction: Prediction) -> Change:
    """What a prediction changes in the forward pass.

    Raises:
        KeyError: no term has that prediction.
    """
    if prediction == "cond":
        return Change()
    return {term.prediction: term.change for term in TERMS}[prediction]
