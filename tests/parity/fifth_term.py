"""A program: adds a made-up fifth row to the table of terms before anything has read it, then uses it as a user would.

    python fifth_term.py CHECKPOINT COMFY_TREE FOLDER

Prints what came of it as JSON; test_fifth_term.py reads it. A process of its own, as the table is read on import.
"""

import importlib
import json
import logging
import sys
from pathlib import Path

from bed import in_process
from bed.versions import ROOT

in_process.import_folder(ROOT / "idlora_core", "idlora_core")
terms = importlib.import_module("idlora_core.terms")
HUSH = terms.Term(
    "hush",
    "hushed",
    off=1.0,
    title="Hush guidance",
    change=terms.Change(perturbed=True, uncoupled=True),
    knobs=(terms.Knob("hush_scale", terms.BOTH, 2.0, "Made up. Off at 1."),),
    mark="arrow",
    colour="#56b4e9",
)
terms.TERMS = (*terms.TERMS, HUSH)


class Lines(logging.Handler):
    """The status lines, which the log has as well."""

    def __init__(self):
        super().__init__()
        self.texts: list[str] = []
        logging.getLogger("idlora").addHandler(self)
        logging.getLogger("idlora").setLevel(logging.INFO)

    def emit(self, record: logging.LogRecord) -> None:
        self.texts.append(record.getMessage())


def main(checkpoint: str, tree: str, folder: str) -> dict:
    in_process.import_host(Path(tree), Path(folder), Path(checkpoint).parents[1])
    pack = in_process.import_pack().__name__
    nodes = importlib.import_module(f"{pack}.nodes.sampling")
    options = importlib.import_module(f"{pack}.nodes.guidance_options").GuidanceOptionsNode
    run, lines = runner(nodes.IdentityGuidedKSampler, options, checkpoint), Lines()
    off, _ = run(hush_scale=1.0)
    on, plot = run(hush_scale=2.0)
    early, _ = run(hush_scale=2.0, hush_end_percent=0.1)
    (preset,) = [
        entry for entry in nodes.IdentityGuidedKSampler.define_schema().inputs if entry.id == "preset"
    ]
    return {
        "widgets": [entry.id for entry in preset.options[0].inputs],
        "options": [entry.id for entry in options.define_schema().inputs],
        "tables": preset.tooltip,
        "status": lines.texts,
        "changed": ((on - off).norm() / off.norm()).item(),
        "changed_early": ((early - off).norm() / off.norm()).item(),
        "pixels": int(((plot[0] - rgb(plot, HUSH.colour)).abs().sum(-1) < 0.1).sum()),
    }


def runner(sampler, options, checkpoint: str):
    """Two steps of the node on the small model, with the paper's other scales: latents as one row, and the plot."""
    import comfy.sd
    import torch
    from comfy.nested_tensor import NestedTensor

    from bed.clip import made_clip
    from idlora_core.presets import PAPER_KNOBS
    from idlora_core.reference import Reference

    model = comfy.sd.load_checkpoint_guess_config(checkpoint, output_vae=False, output_clip=False)[0]
    clip = made_clip(model.model.diffusion_model)
    empty = NestedTensor((torch.zeros_like(clip.video_noise), torch.zeros_like(clip.audio_noise)))

    def run(hush_scale: float, **windows: float):
        own = {"steps": 2, "schedule": "ltx2", **PAPER_KNOBS, "hush_scale": hush_scale}
        (guidance,) = options.PREPARE_CLASS_CLONE(None).execute(stg_block_indices="2", **windows).args
        with torch.inference_mode():
            latent, plot = (
                sampler.PREPARE_CLASS_CLONE(None)
                .execute(
                    model,
                    *clip.conditioning,
                    {"samples": empty},
                    seed=0,
                    sampler_name="euler",
                    preset={"preset": "custom", **own},
                    reference=Reference(clip.reference),
                    guidance=guidance,
                )
                .args
            )
        return torch.cat([part.flatten() for part in latent["samples"].unbind()]), plot

    return run


def rgb(like, colour: str):
    return like.new_tensor([int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)])


if __name__ == "__main__":
    print(json.dumps(main(*sys.argv[1:])))
