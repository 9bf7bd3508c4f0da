"""How much is measured, and on what."""

import platform
from dataclasses import dataclass
from pathlib import Path

import comfyui_version
import torch

from .setting import FULL, NUM_BLOCKS, QUICK, REAL, REAL_1024, STG_BLOCK, WIDE, Size, weight_bytes
from .steps import RUN_STEPS

SPARE_BYTES = 12 * 2**30  # for what a step takes besides the weights, at 1024x1024
WIDE_BLOCKS = 2


@dataclass(frozen=True)
class Plan:
    """What is measured.

    Attributes:
        clips: size of model and clip, and number of steps, of each comparison; the first gives the figures.
        memory: the size at which the peaks are measured, in `memory_blocks` blocks. On the CPU few and wide ones:
            latents have 128 channels at every width and would weigh too much beside a narrow model.
        memory_stg_block: the first STG block there.
        matmul: edge of the square matrices whose product gives the machine's plain rate.
        has_lengths: whether a step is timed against the clip's length.
    """

    clips: tuple[tuple[str, Size, int], ...]
    memory: Size
    memory_blocks: int
    memory_stg_block: int
    matmul: int
    device: torch.device
    dtype: torch.dtype


def planned(device: str, quick: bool) -> Plan:
    if device == "cuda":
        steps = (4, 2) if quick else (RUN_STEPS, 5)
        clips = (("512x512x121", REAL, steps[0]), ("1024x1024x121", REAL_1024, steps[1]))
        return Plan(clips, REAL, NUM_BLOCKS, STG_BLOCK, 8192, torch.device("cuda", 0), torch.bfloat16)
    size, steps = (QUICK, 4) if quick else (FULL, RUN_STEPS)
    clips = (("512x512x121, scaled", size, steps),)
    return Plan(clips, WIDE, WIDE_BLOCKS, 1, 2048, torch.device("cpu"), torch.float32)


def missing_memory(plan: Plan, free_bytes: int) -> str | None:
    """What to say where a card cannot hold the model; None where it can."""
    needed = weight_bytes(plan.clips[0][1], plan.dtype) + SPARE_BYTES
    if free_bytes >= needed:
        return None
    return (
        f"the real LTX-2.3 shape needs {needed / 2**30:.0f} GiB on the card, {free_bytes / 2**30:.0f} are free;"
        " nothing was measured. Without --device cuda a scaled model is measured on the CPU."
    )


def machine(plan: Plan) -> str:
    """What the figures were measured on."""
    card = torch.cuda.get_device_name() if plan.device.type == "cuda" else _processor()
    kind = str(plan.dtype).removeprefix("torch.")
    return f"{card}, {kind}, PyTorch {torch.__version__}, ComfyUI {comfyui_version.__version__}"


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return f"{names[0] if names else platform.processor()}, {torch.get_num_threads()} threads"
