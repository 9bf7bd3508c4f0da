"""ID-LoRA for ComfyUI: a talking video of a person from one picture, a voice clip and a prompt."""

if __package__:  # not when a test runner collects this folder as a rootdir
    from .nodes import comfy_entrypoint

    WEB_DIRECTORY = "./web"
    __all__ = ["WEB_DIRECTORY", "comfy_entrypoint"]
