"""What a sampler or guider node tells its user before and after a run: what is wrong first, then what it costs."""

from collections.abc import Sequence
from dataclasses import dataclass

from .families import UNKNOWN, ModelFamily
from .guidance import Guidance, plan
from .variant import Variant, mismatches

NO_VOICE = "No voice connected: the model invents one."
NO_ID_LORA = "No ID-LoRA on this model: add Load ID-LoRA."


@dataclass(frozen=True)
class RunReport:
    """One run, in words.

    Attributes:
        variant: the connected model.
        preset: its name.
        guidance: scales and windows.
        has_reference: whether a voice is connected.
        sigmas: noise levels at which the model is called, as far as they are known.
        num_steps: of the schedule; None where the node does not know it.
        remarks: sentences on what the user should know first.
        is_fast: whether some differences are extrapolated.
        audio_vae: the family of the audio VAE that encoded the reference, where it is known.
    """

    variant: Variant
    preset: str
    guidance: Guidance
    has_reference: bool
    sigmas: Sequence[float]
    num_steps: int | None = None
    remarks: tuple[str, ...] = ()
    is_fast: bool = False
    audio_vae: ModelFamily = UNKNOWN

    @property
    def advice(self) -> str:
        """What the user should know first, in sentences; empty where all is well."""
        return " ".join([*self.remarks, *mismatches(self.variant, self.preset, self.audio_vae)])

    def before(self) -> str:
        """What is about to run."""
        steps = "" if self.num_steps is None else f", {_counted(self.num_steps, 'step')}"
        return self._text(self.sigmas, f"a step{steps}")

    def after(self, called: Sequence[float], seconds: float, num_run: int | None = None) -> str:
        """What ran, and how long a step took.

        Args:
            called: sigma of each call of the guided model; some samplers call it more often than once a step.
            seconds: of all steps.
            num_run: predictions that were run in all calls together, where it is known.
        """
        assert self.num_steps is not None
        each = seconds / self.num_steps
        took = f"{each:.0f} s a step" if each >= 100 else f"{each:.3g} s a step"
        steps = _counted(self.num_steps, "step")
        if len(called) == self.num_steps:
            return self._text(called, f"a step, {steps}, {took}", num_run)
        cost = f"a call, {_counted(len(called), 'call')} in {steps}, {took}"
        return self._text(called or self.sigmas, cost, num_run)

    def _text(self, sigmas: Sequence[float], cost: str, num_run: int | None = None) -> str:
        reuse = ", some of them extrapolated" if self.is_fast else ""
        if self.is_fast and num_run is not None:
            reuse = f"; fast ran {num_run / len(sigmas):.1f} of them on average"
        facts = f"{self.variant}, {self.preset}: {self._predictions(sigmas)} {cost}{reuse}."
        return f"{self.advice} {facts}" if self.advice else facts

    def _predictions(self, sigmas: Sequence[float]) -> str:
        """How many at each of these noise levels; a window makes them differ."""
        counts = [len(plan(self.guidance, sigma, self.has_reference)) for sigma in sigmas]
        fewest, most = min(counts), max(counts)
        return _counted(most, "prediction") if fewest == most else f"{fewest} to {most} predictions"


def voice_remarks(has_reference: bool, has_id_lora: bool, keeps_sound: bool) -> tuple[str, ...]:
    """What is missing for a voice, of the two things that it needs; nothing where a mask keeps the sound."""
    if keeps_sound:
        return ()
    if not has_reference:
        return (NO_VOICE,)
    return () if has_id_lora else (NO_ID_LORA,)


def _counted(number: int, thing: str) -> str:
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"
