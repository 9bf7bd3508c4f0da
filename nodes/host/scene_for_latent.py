"""A scene for the latent that is sampled: its lead-in, and whether its sound is finished."""

from ...idlora_core.reference import Reference
from ...idlora_core.scene import Scene
from .latents import FRAME_RATE, LEAD_IN_FRAMES
from .voice_on_model import keeps_sound


def scene_for(reference: Reference | Scene | None, latent: dict) -> Reference | Scene | None:
    """A scene moved by the latent's lead-in, and without voices where the mask keeps the sound; others as they are."""
    if not isinstance(reference, Scene):
        return reference
    if LEAD_IN_FRAMES in latent and latent.get(FRAME_RATE):
        reference = reference.with_lead_in(latent[LEAD_IN_FRAMES] / latent[FRAME_RATE])
    return reference.without_voices() if keeps_sound(latent) else reference
