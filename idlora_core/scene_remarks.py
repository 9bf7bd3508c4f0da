"""What to tell somebody about their scene before it is rendered."""

from collections.abc import Iterator, Sequence

from torch import Tensor

from .families import UNKNOWN
from .frames import MAX_LENGTH, PIXELS_PER_LATENT, length_for
from .region import Box, Region, coverage
from .scene import Member, Scene
from .script import Entry, Line, lines_of
from .turns import needed_seconds, spoken_seconds

SHORT_TURN_SECONDS = 0.5
HURRY_SECONDS = 0.1
"""How much less than its words need a turn may have before it is said."""
OVERLAP_CELLS = 16
OVERLAP_SHARE = 0.05


def scene_remarks(scene: Scene, entries: Sequence[Entry], num_frames: int, frame_rate: float) -> list[str]:
    """One sentence for each thing that may not come out as meant.

    Args:
        entries: the script of the scene.
        num_frames, frame_rate: of the clip.
    """
    lines = lines_of(entries)
    return [
        *_length(scene, entries, lines, num_frames, frame_rate),
        *_short_turns(scene, lines),
        *_at_once(scene, lines),
        *_cast(scene),
        *_families(scene),
        *_regions(scene),
    ]


def check_regions(members: Sequence[Member], picture: tuple[int, int] | None = None) -> None:
    """Refuse masks that were not drawn on the same picture.

    Args:
        picture: (width, height) of the first picture, where it is known.

    Raises:
        ValueError: masks of two sizes, or of another size than the picture.
    """
    sizes = {m.name: (m.region.shape[1], m.region.shape[0]) for m in members if isinstance(m.region, Tensor)}
    for name, size in sizes.items():
        if picture is not None and size != picture:
            raise ValueError(
                f"The region of {name} is {_size(size)} and the picture {_size(picture)}."
                " Draw the mask on the first picture itself."
            )
    if len(set(sizes.values())) > 1:
        listed = ", ".join(f"{name}'s {_size(size)}" for name, size in sizes.items())
        raise ValueError(f"The regions have different sizes ({listed}). Draw all masks on the first picture.")


def _length(
    scene: Scene, entries: Sequence[Entry], lines: Sequence[Line], num_frames: int, frame_rate: float
) -> Iterator[str]:
    """The whole, or, where times are written, the lines that do not fit theirs."""
    clip, needed = num_frames / frame_rate, needed_seconds(entries)
    if needed > clip:
        length = length_for(needed, frame_rate)
        cure = (
            f"set length to {length} or shorten it" if length <= MAX_LENGTH else "split it over several clips"
        )
        needed = max(needed, clip + 0.1)  # the two figures never look equal
        yield (
            f"The script needs about {needed:.1f} s and the clip has {clip:.1f} s, {needed - clip:.1f} s too few: {cure}."
        )
        return
    for turn, line in zip(scene.turns, lines, strict=True):
        needed = spoken_seconds(line)
        if needed > turn.seconds + HURRY_SECONDS:
            yield (
                f"{line} needs about {needed:.1f} s and has {turn.seconds:.1f} s: what overruns is spoken in the"
                " next voice."
            )


def _short_turns(scene: Scene, lines: Sequence[Line]) -> Iterator[str]:
    for turn, line in zip(scene.turns, lines, strict=True):
        if turn.seconds < SHORT_TURN_SECONDS:
            yield f"{line} has {turn.seconds:.2f} s, too short for a voice to settle; give it {SHORT_TURN_SECONDS} s."


def _at_once(scene: Scene, lines: Sequence[Line]) -> Iterator[str]:
    for turn, line in zip(scene.turns, lines, strict=True):
        others = [
            other for other in scene.turns if other is not turn and other.start <= turn.start < other.end
        ]
        if len(turn.speakers) > 1 or any(other.speakers != turn.speakers for other in others):
            yield f"{line} is spoken by several at once, which no ID-LoRA was trained for."


def _cast(scene: Scene) -> Iterator[str]:
    for place, member in enumerate(scene.members):
        if place not in scene.speaking:
            yield f"{member.name} never speaks."
        elif member.voice is None:
            yield f"{member.name} has no voice of their own: the model makes one up."


def _families(scene: Scene) -> Iterator[str]:
    """Voices of two model families: the sampler tells which is the model's only where all are of one."""
    families = {scene.members[place].name: voice.audio_vae for place, voice in scene.voices.items()}
    if len(set(families.values()) - {UNKNOWN}) > 1:
        listed = ", ".join(f"{name}: {family}" for name, family in families.items())
        yield f"The voices were encoded by audio VAEs of different models ({listed}): use the model's own for all."


def _regions(scene: Scene) -> Iterator[str]:
    regions = {m.name: m.region for m in scene.members if m.region is not None}
    for name, region in regions.items():
        if _is_small(region):
            yield f"The region of {name} is smaller than one token of video (32 x 32 pixels): draw it larger."
    names = list(regions)
    for index, name in enumerate(names):
        for other in names[index + 1 :]:
            shared = _shared(regions[name], regions[other])
            if shared > OVERLAP_SHARE:
                yield (
                    f"The regions of {name} and {other} overlap by {100 * shared:.0f} %: where they do, whoever"
                    " listens can move as well."
                )


def _is_small(region: Region) -> bool:
    if isinstance(region, Box):
        return False  # of a picture whose size is not known here
    return float(region.sum()) < PIXELS_PER_LATENT**2


def _shared(one: Region, other: Region) -> float:
    """How much of the smaller region lies in the other, on a coarse grid."""
    first, second = (coverage(region, OVERLAP_CELLS, OVERLAP_CELLS) for region in (one, other))
    smaller = min(float(first.sum()), float(second.sum()))
    return float((first * second).sum()) / smaller if smaller else 0.0


def _size(size: tuple[int, int]) -> str:
    return f"{size[0]}x{size[1]}"
