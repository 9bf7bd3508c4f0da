"""The VAEs of a small checkpoint, and nodes of the pack that use them, inside the test process.

`in_process.import_all` comes first.
"""

import importlib
from pathlib import Path

from .in_process import PACK


def audio_vae(checkpoint: Path):
    """As LTXV Audio VAE Loader makes it."""
    import comfy.sd  # noqa: F401  the loader node takes it for imported
    from comfy_extras.nodes_lt_audio import LTXVAudioVAELoader

    return LTXVAudioVAELoader.execute(checkpoint.name).args[0]


def video_vae(checkpoint: Path):
    """As the checkpoint loader makes it."""
    import comfy.sd

    return comfy.sd.load_checkpoint_guess_config(str(checkpoint), output_vae=True, output_clip=False)[2]


def node(module: str, name: str):
    """A node class of the pack, prepared as the host prepares it to run: node("decode", "DecodeAV")."""
    return getattr(importlib.import_module(f"{PACK}.nodes.{module}"), name).PREPARE_CLASS_CLONE(None)
