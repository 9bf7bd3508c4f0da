"""Saving a VIDEO by the host's own rules, with a last step before it gets its name."""

import itertools
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import comfy.model_management
import folder_paths
from comfy.cli_args import args
from comfy_api.latest import Input, InputImpl, Types, io, ui
from torch import Tensor

from ...idlora_core.whole_files import flush_to_disk, publish, temporary_file

SUFFIX = ".mp4"
LastStep = Callable[[Path, Path, str], None]
"""(finished mp4, new file to write, title) -> nothing."""


@dataclass(frozen=True)
class SavedVideo:
    path: Path
    subfolder: str

    @property
    def player(self) -> ui.PreviewVideo:
        """The widget that plays it on the node."""
        return ui.PreviewVideo([ui.SavedResult(self.path.name, self.subfolder, io.FolderType.output)])

    @property
    def video(self) -> Input.Video:
        """The file as a VIDEO."""
        return InputImpl.VideoFromFile(str(self.path))


def save_video(
    video: Input.Video, filename_prefix: str, metadata: dict[str, Any] | None, last_step: LastStep | None
) -> SavedVideo:
    """Save an mp4 where the host's Save Video would, under the next free number.

    The file is written under a hidden name first, and so is what the last step makes of it: whatever goes wrong,
    nothing half done is ever seen under the clip's name.

    Args:
        metadata: prompt and workflow, as `graph_metadata` gives them.
        last_step: makes the file that is kept from the one that was written; None keeps that.

    Raises:
        RuntimeError: the folder cannot be written, or the disk is full.
    """
    width, height = video.get_dimensions()
    folder, stem, counter, subfolder, _ = folder_paths.get_save_image_path(
        filename_prefix, folder_paths.get_output_directory(), width, height
    )
    try:
        with temporary_file(Path(folder), SUFFIX) as written, temporary_file(Path(folder), SUFFIX) as kept:
            _write(video, written, metadata)
            comfy.model_management.throw_exception_if_processing_interrupted()
            if last_step is not None:
                last_step(written, kept, f"{stem}{SUFFIX}")
            complete = kept if last_step is not None else written
            flush_to_disk(complete)
            comfy.model_management.throw_exception_if_processing_interrupted()
            return SavedVideo(_publish_next(complete, Path(folder), stem, counter), subfolder)
    except OSError as error:
        raise RuntimeError(
            f"The clip could not be saved in {folder}: {error.strerror or error}. Nothing was left there."
        ) from error


def with_frames_changed(video: Input.Video, change: Callable[[Tensor, float], Tensor]) -> Input.Video:
    """A VIDEO with other pictures, and the same sound, frame rate and bit depth.

    Args:
        change: (frames (F, H, W, 3), frames a second) -> frames.
    """
    components = video.get_components()
    images = change(components.images, float(components.frame_rate))
    depth = {"bit_depth": video.get_bit_depth()} if hasattr(video, "get_bit_depth") else {}  # newer hosts
    return InputImpl.VideoFromComponents(replace(components, images=images), **depth)


def graph_metadata(prompt: Any, extra_pnginfo: Any) -> dict[str, Any] | None:
    """What the host's Save Video keeps in a file: the workflow and the prompt; None where the host is told not to."""
    if args.disable_metadata:
        return None
    metadata = dict(extra_pnginfo or {})
    if prompt is not None:
        metadata["prompt"] = prompt
    return metadata or None


def _write(video: Input.Video, path: Path, metadata: dict[str, Any] | None) -> None:
    mp4, h264 = Types.VideoContainer("mp4"), Types.VideoCodec("h264")
    video.save_to(str(path), format=mp4, codec=h264, metadata=metadata)


def _publish_next(part: Path, folder: Path, stem: str, counter: int) -> Path:
    """The name with the first free number; another program may have taken the host's."""
    for number in itertools.count(counter):
        target = folder / f"{stem}_{number:05}_{SUFFIX}"
        if publish(part, target):
            return target
    raise AssertionError("there is always a next number")
