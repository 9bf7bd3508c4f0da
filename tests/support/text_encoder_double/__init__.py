"""Test-only ComfyUI node pack: lets the host load a 48-layer Gemma of a few megabytes.

The host hard-codes the sizes of Gemma 3 12B, the one part of LTX-2 too large for a test machine. This pack
adds no node; it makes the host's own loader build the small sizes when, and only when, the file holds them.
It is never shipped.
"""


async def comfy_entrypoint():
    """The host calls this when it loads the pack; importing the pack alone changes nothing."""
    from comfy_api.latest import ComfyExtension

    from . import swap

    class TextEncoderDouble(ComfyExtension):
        async def get_node_list(self):
            return []

    swap.install()
    return TextEncoderDouble()
