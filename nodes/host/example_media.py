"""The example face and voice, put where the host's loaders look, so that a fresh install runs without an upload."""

import os
import shutil
import tempfile
from pathlib import Path

import folder_paths

from .status import log

ASSETS = Path(__file__).resolve().parents[2] / "workflows" / "assets"
EXAMPLES = (
    "idlora_portrait.png",
    "idlora_portrait_2.png",
    "idlora_two_people.png",
    "idlora_voice.flac",
    "idlora_voice_2.flac",
)


def offer_examples() -> None:
    """Copy the example media into the host's input folder where nothing of that name is there.

    What cannot be copied is one warning in the log: the nodes work without it.
    """
    folder = Path(folder_paths.get_input_directory())
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name in EXAMPLES:
            if not os.path.lexists(folder / name):
                _copy_whole(ASSETS / name, folder / name)
    except OSError as error:
        log.warning(
            "The example face and voice of ID-LoRA were not copied to %s (%s). Upload your own, or those in %s.",
            folder,
            error,
            ASSETS,
        )


def _copy_whole(source: Path, target: Path) -> None:
    """Copy so that nobody ever sees a part of the file, not even on a full disk."""
    # A name that no other process has: not its id, which two containers with one input folder may share.
    handle, part = tempfile.mkstemp(prefix=f".{target.name}.", suffix=".part", dir=target.parent)
    try:
        with open(handle, "wb") as file:
            file.write(source.read_bytes())
        shutil.copymode(source, part)  # mkstemp's is for the owner alone
        os.replace(part, target)
    finally:
        Path(part).unlink(missing_ok=True)
