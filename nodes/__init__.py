"""The nodes: each is a schema and a short call."""

from comfy_api.latest import ComfyExtension, io


class IDLoRAExtension(ComfyExtension):
    """What the host asks for the pack's nodes."""

    async def on_load(self) -> None:
        from .host.example_media import offer_examples
        from .host.metric_models import register_folder
        from .host.voice_folder import register_folders

        offer_examples()
        register_folder()
        register_folders()

    async def get_node_list(self) -> list[type[io.ComfyNode]]:
        from . import (
            check_credentials,
            clip_length,
            dataset,
            decode,
            first_frame,
            guidance_options,
            load,
            prompt,
            reference,
            sampling,
            save_signed_video,
            second_stage,
            takes,
            voices,
        )
        from .host.status import telling_errors

        modules = (
            *(load, reference, first_frame, sampling, guidance_options, second_stage, decode, prompt),
            *(clip_length, voices, takes, save_signed_video, check_credentials, dataset),
        )
        return [telling_errors(node) for module in modules for node in module.NODES]


async def comfy_entrypoint() -> IDLoRAExtension:
    from .host.requirements import check_host

    check_host()
    return IDLoRAExtension()
