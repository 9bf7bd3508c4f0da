"""Faces that the host's landmarker has found in the first picture (ComfyUI 0.30.0: Detect Face Landmarks)."""

from typing import Any

import comfyui_version

from ...idlora_core.region import FoundFaces


def found_faces(landmarks: dict[str, Any]) -> FoundFaces:
    """Boxes of the faces in the first picture of the host's FACE_LANDMARKS.

    Raises:
        RuntimeError: the host has changed what it hands on.
    """
    try:
        height, width = landmarks["image_size"]
        boxes = [tuple(float(side) for side in face["bbox_xyxy"]) for face in landmarks["frames"][0]]
    except (KeyError, TypeError, IndexError) as error:
        raise RuntimeError(
            f"ComfyUI {comfyui_version.__version__} hands on face landmarks in another form than this version of ID-LoRA"
            f" reads ({type(error).__name__}: {error}). Draw a mask for region, or choose a place."
        ) from error
    return FoundFaces(int(width), int(height), tuple(boxes))
