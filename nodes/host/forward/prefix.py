"""STG prefix: blocks before the first STG block see in `perturbed` what they see in `cond`, and are run once.

`cond` leaves its hidden states at that block; `perturbed` starts there, on a view that has only the blocks from
there on, so that the host neither runs the others nor loads their weights.
"""

from functools import partial
from typing import Any

from .step_cache import StepCache, Tensors
from .view import View


def leave_prefix(cache: StepCache, first_block: int, options: dict[str, Any]) -> None:
    """Have a pass leave the hidden states that enter a block.

    By a block patch of the host, in front of another node's: that one will run again on these states.
    """
    patches = options["patches_replace"]["dit"]
    key = ("double_block", first_block)
    patches[key] = partial(_keeping, cache, patches.get(key))


def start_at(view: View, first_block: int, states: Tensors, options: dict[str, Any]) -> None:
    """Have a pass start with given hidden states at a block; the host counts its blocks from 0."""
    view.override(
        "_process_transformer_blocks", lambda former, x, *args, **kw: former([*states], *args, **kw)
    )
    patches = options["patches_replace"]
    patches["dit"] = {
        (kind, index - first_block): patch
        for (kind, index), patch in patches["dit"].items()
        if index >= first_block
    }


def _keeping(cache: StepCache, other_patch, args: dict[str, Any], extra: dict):
    """Block patch of the host: leave the hidden states that enter this block, then run it."""
    cache.keep(args["transformer_options"]["uuids"], 0, args["img"])
    return other_patch(args, extra) if other_patch else extra["original_block"](args)
