"""What the pack needs of its host, asked once when it loads."""

import comfyui_version

OLDEST_HOST = (0, 20, 1)


def check_host(version: str = comfyui_version.__version__) -> None:
    """Raise one clear error when ComfyUI is too old for reference audio.

    Raises:
        RuntimeError: the host is older than 0.20.1, the first release that takes reference tokens.
    """
    numbers = tuple(int(part) for part in version.split(".")[:3] if part.isdecimal())
    if numbers < OLDEST_HOST:
        needed = ".".join(map(str, OLDEST_HOST))
        raise RuntimeError(f"ID-LoRA needs ComfyUI {needed} or newer, and this is {version}: update ComfyUI.")
