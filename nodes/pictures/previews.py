"""A player and a picture on one node."""

from collections.abc import Callable, Sequence
from typing import Any

from comfy_api.latest import io, ui
from torch import Tensor

from .drawing import CannotDraw

PLAYER_INPUT = "audioUI"


def player_input(tooltip: str = "Plays what was encoded.") -> io.Input:
    """The widget in which the frontend plays what a node shows; it must be the last input.

    The frontend adds it to core's own audio nodes only; others have to declare it. It has no value, and a
    graph that leaves it out runs as well.
    """
    return io.Custom("AUDIO_UI").Input(PLAYER_INPUT, optional=True, tooltip=tooltip)


def player_and_picture(
    waveform: Tensor, sample_rate: int, draw_picture: Callable[[], Tensor]
) -> tuple[dict[str, Any] | None, str]:
    """What the node shows after its run: temporary files, as the host's own previews write them.

    Args:
        waveform: (1, C, N).
        draw_picture: gives (1, H, W, 3) in [0, 1].

    Returns:
        The `ui` of a NodeOutput and nothing more to say; or as much of it as there is and what to tell the user: a
        full disk, or a Pillow too old to draw, takes a preview away, not the render.
    """
    return players_and_picture([{"waveform": waveform, "sample_rate": sample_rate}], draw_picture)


def players_and_picture(
    sounds: Sequence[dict[str, Any]], draw_picture: Callable[[], Tensor]
) -> tuple[dict[str, Any] | None, str]:
    """As `player_and_picture`, for several AUDIOs: the frontend plays the first, the others lie beside it."""
    try:
        audio = {"audio": [file for sound in sounds for file in ui.PreviewAudio(sound).as_dict()["audio"]]}
        return audio | ui.PreviewImage(draw_picture()).as_dict(), ""
    except CannotDraw as error:
        return audio, str(error)
    except OSError as error:
        reason = error.strerror or str(error)
        return None, f"No player and picture: the host's temp folder cannot be written ({reason})."


def picture(draw_picture: Callable[[], Tensor]) -> tuple[dict[str, Any] | None, str]:
    """As `player_and_picture`, for a node that has nothing to play."""
    try:
        return ui.PreviewImage(draw_picture()).as_dict(), ""
    except CannotDraw as error:
        return None, str(error)
    except OSError as error:
        return None, f"No picture: the host's temp folder cannot be written ({error.strerror or error})."
