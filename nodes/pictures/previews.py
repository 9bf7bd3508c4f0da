"""A player and a picture on one node."""

from collections.abc import Callable, Sequence
from typing import Any

from comfy_api.latest import io, ui
from torch import Tensor

from ...idlora_core.options import shown as shown_text
from ..host.status import log
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
        The `ui` of a NodeOutput and nothing more to say; or as much of it as there is and what to tell the user. A full
        disk or a Pillow that cannot draw takes a preview away, never the render: whatever goes wrong is logged.
    """
    return players_and_picture([{"waveform": waveform, "sample_rate": sample_rate}], draw_picture)


def players_and_picture(
    sounds: Sequence[dict[str, Any]], draw_picture: Callable[[], Tensor]
) -> tuple[dict[str, Any] | None, str]:
    """As `player_and_picture`, with a player of each AUDIO of the host, the first of them in view; none is well too."""
    shown: dict[str, Any] = {}
    remarks = []
    try:
        for sound in sounds:
            for key, entries in ui.PreviewAudio(sound).as_dict().items():
                shown.setdefault(key, []).extend(entries)
    except Exception as error:
        log.exception("The player could not be made")
        remarks.append(f"No player: {_reason(error)}.")
    try:
        shown |= ui.PreviewImage(draw_picture()).as_dict()
    except Exception as error:
        log.exception("The picture could not be made")
        remarks.append(str(error) if isinstance(error, CannotDraw) else f"No picture: {_reason(error)}.")
    return shown or None, " ".join(remarks)


def _reason(error: Exception) -> str:
    """What an error says, in a few words."""
    said = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return shown_text(said or type(error).__name__)
