"""From a script and a cast to what a sampler and a text encoder take."""

from collections.abc import Sequence
from dataclasses import dataclass

from .clean_start import MAX_START_SECONDS
from .frames import checked_frame_rate, checked_length
from .options import checked_number
from .prompt import ScenePrompt, scene_prompt
from .reference import Reference
from .scene import Member, Scene
from .scene_remarks import check_regions, scene_remarks
from .script import Line, lines_of, parse_script, speakers_of
from .turns import spread


@dataclass(frozen=True, eq=False)
class WrittenScene:
    """A script with its cast.

    Attributes:
        scene: voices and turns.
        lines: what is said in each turn.
        prompt: for the text encoder.
        remarks: what may not come out as meant, a sentence each.
        seconds: length of the clip.
    """

    scene: Scene
    lines: tuple[Line, ...]
    prompt: ScenePrompt
    remarks: list[str]
    seconds: float

    @property
    def reference(self) -> Scene | Reference:
        """What a sampler takes: a plain reference where the scene is no more than that."""
        return self.scene.only_reference or self.scene


def written_scene(
    cast: Sequence[Member],
    script: str,
    visual: str,
    sounds: str,
    num_frames: int,
    frame_rate: float,
    region_strength: float = 1.0,
    lead_in_seconds: float = 0.0,
    picture: tuple[int, int] | None = None,
) -> WrittenScene:
    """Read a script.

    Args:
        num_frames, frame_rate: of the clip, 8n + 1 frames.
        picture: (width, height) of the first picture, where it is known.

    Raises:
        ValueError: as `parse_script`, `speakers_of`, `spread`, `check_regions`; a number out of its range.
    """
    names = [member.name for member in cast]
    checked_number("region_strength", region_strength, 0.0, 1.0)
    checked_number("lead_in_seconds", lead_in_seconds, 0.0, MAX_START_SECONDS)
    seconds = checked_length(num_frames) / checked_frame_rate(frame_rate)
    entries = parse_script(script)
    lines = lines_of(entries)
    speakers = [speakers_of(line, names) for line in lines]
    check_regions(cast, picture)
    turns = spread(entries, speakers, seconds)
    scene = Scene(tuple(cast), turns, region_strength, lead_in_seconds)
    read = [[names[place] for place in sorted(places)] for places in speakers]
    prompt = scene_prompt(visual, lines, read, {member.name: member.look for member in cast}, sounds)
    return WrittenScene(scene, lines, prompt, scene_remarks(scene, entries, num_frames, frame_rate), seconds)
