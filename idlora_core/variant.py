"""Which model variant is connected, and what does not go with it."""

from collections.abc import Sequence
from dataclasses import dataclass

from .families import UNKNOWN, ModelFamily, audio_vae_mismatch
from .presets import PRESETS

DISTILLED_LORA_MIN_RANK = 256


@dataclass(frozen=True)
class Variant:
    """What could be seen of a model.

    Attributes:
        family: LTX-2, LTX-2.3 or `UNKNOWN`.
        distilled: True or False where something says so, None where nothing does.
        evidence: what says so, for the user.
        sigma_is_timestep: whether the model's sampling hands sigma through, as LTX-2 needs.
    """

    family: ModelFamily
    distilled: bool | None
    evidence: str = ""
    sigma_is_timestep: bool = True

    def __str__(self) -> str:
        kind = {True: "distilled", False: "dev", None: "dev or distilled"}[self.distilled]
        return f"{self.family} {kind}" + (f" ({self.evidence})" if self.evidence else "")


def distilled_by_name(file_name: str) -> bool | None:
    """Whether a checkpoint's file name says distilled or dev; None where it says neither."""
    words = file_name.lower().replace("_", "-").replace(".", "-").split("-")
    if "distilled" in words:
        return True
    return False if "dev" in words else None


def distilled_by_ranks(video_lora_ranks: Sequence[int]) -> bool:
    """Whether LoRAs on the video self-attention look like Lightricks' distilled LoRA.

    That LoRA has rank 384 and covers the video stream, which an ID-LoRA leaves alone; LoRAs of style
    or character have ranks of 16 to 128. A guess from the outside, for a hint and never for a refusal.
    """
    return any(rank >= DISTILLED_LORA_MIN_RANK for rank in video_lora_ranks)


def mismatches(variant: Variant, preset: str, audio_vae: ModelFamily = UNKNOWN) -> list[str]:
    """Sentences on what does not go together; empty where nothing is seen.

    Args:
        variant: the connected model.
        preset: name of a preset, or `custom`, of which nothing is said.
        audio_vae: the family of the audio VAE that encoded the reference; `UNKNOWN` where there is none.
    """
    found = [audio_vae_mismatch(audio_vae, variant.family)]
    if preset in PRESETS and variant.distilled is not None:
        if variant.distilled and not PRESETS[preset].for_distilled:
            found.append(f"This model is distilled ({variant.evidence}): use preset distilled.")
        if not variant.distilled and PRESETS[preset].for_distilled:
            found.append(
                f"This model is not distilled ({variant.evidence}): use preset paper, or a distilled LoRA."
            )
    if not variant.sigma_is_timestep:
        found.append(
            "A model sampling node changes the noise schedule in a way LTX-2 does not know: remove it."
        )
    return [sentence for sentence in found if sentence]
