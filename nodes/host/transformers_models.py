"""Speech recognition and speaker encoders as transformers folders, loaded from the disk by the host's transformers."""

from pathlib import Path
from typing import Any

import comfy.model_management
import torch
from comfy.model_patcher import ModelPatcher
from torch import Tensor

from ...idlora_core.voice.waveform import resampled
from ...idlora_core.voice_embedding import VoiceEmbedding

SAMPLE_RATE_HZ = 16_000
MOONSHINE_TOKENS_A_SECOND = 6.5  # its authors' limit against endless repetition
LOCAL: dict[str, Any] = {"local_files_only": True}  # nothing is ever downloaded


class Unusable(ValueError):
    """A folder that transformers loads, and that is of no use here."""


def load(model_type: str, folder: Path):
    """A recogniser or an encoder, by the type in its config.json.

    Raises:
        ValueError: a file is missing or damaged, or the folder holds no head for the task.
    """
    try:
        return LOADERS[model_type](folder)
    except Unusable:
        raise
    except (OSError, KeyError, RuntimeError, ValueError) as error:
        reason = str(error).strip().splitlines()[0][:200]
        raise ValueError(f"{folder.name} could not be loaded by transformers: {reason}.") from error


class _OnDevice:
    """A network that the host moves, and makes room for, as it does with its own."""

    def __init__(self, network: torch.nn.Module) -> None:
        self._network: Any = network.eval().requires_grad_(False)
        management = comfy.model_management
        device, offload = management.get_torch_device(), management.text_encoder_offload_device()
        held = torch.nn.ModuleList(
            [network]
        )  # the host writes `device` on it, which transformers' own forbid
        self._patcher = ModelPatcher(held, load_device=device, offload_device=offload)

    def _ready(self) -> Any:
        comfy.model_management.load_models_gpu([self._patcher])
        return self._network

    def _sound(self, waveform: Tensor, sample_rate: int) -> Tensor:
        """(N,) mono at 16 kHz, on the CPU."""
        return resampled(waveform[0].float().mean(dim=0).cpu(), sample_rate, SAMPLE_RATE_HZ)

    def _moved(self, values: Tensor) -> Tensor:
        weight = next(self._network.parameters())
        return values.to(self._patcher.load_device, weight.dtype)


class Moonshine(_OnDevice):
    """Takes the waveform as it is."""

    def __init__(self, folder: Path) -> None:
        from transformers import MoonshineForConditionalGeneration, PreTrainedTokenizerFast

        self.name = folder.name
        self._tokenizer = PreTrainedTokenizerFast(tokenizer_file=str(_file(folder, "tokenizer.json")))
        super().__init__(MoonshineForConditionalGeneration.from_pretrained(folder, **LOCAL))

    @torch.inference_mode()
    def heard(self, waveform: Tensor, sample_rate: int) -> str:
        sound = self._sound(waveform, sample_rate)
        longest = int(sound.numel() / SAMPLE_RATE_HZ * MOONSHINE_TOKENS_A_SECOND) + 2
        network = self._ready()
        tokens = network.generate(input_values=self._moved(sound[None]), max_new_tokens=longest)
        return str(self._tokenizer.decode(tokens[0], skip_special_tokens=True)).strip()


class Whisper(_OnDevice):
    """Takes log mel features of 30 s; finds the language by itself."""

    def __init__(self, folder: Path) -> None:
        from transformers import (
            WhisperFeatureExtractor,
            WhisperForConditionalGeneration,
            WhisperTokenizerFast,  # pyright: ignore[reportAttributeAccessIssue]  found when it is asked for
        )

        self.name = folder.name
        if not (folder / "vocab.json").is_file():
            _file(
                folder, "tokenizer.json"
            )  # without either, transformers makes an empty tokenizer and hears nothing
        self._features = WhisperFeatureExtractor.from_pretrained(folder, **LOCAL)
        self._tokenizer = WhisperTokenizerFast.from_pretrained(folder, **LOCAL)
        super().__init__(WhisperForConditionalGeneration.from_pretrained(folder, **LOCAL))

    @torch.inference_mode()
    def heard(self, waveform: Tensor, sample_rate: int) -> str:
        sound = self._sound(waveform, sample_rate).numpy()
        features = self._features(sound, sampling_rate=SAMPLE_RATE_HZ, return_tensors="pt")["input_features"]
        network = self._ready()
        tokens = network.generate(input_features=self._moved(features))
        return str(self._tokenizer.decode(tokens[0], skip_special_tokens=True)).strip()


class WavLM(_OnDevice):
    """WavLM with the x-vector head of a speaker-verification folder, such as wavlm-base-plus-sv."""

    noise_band = 0.03  # that of Resemblyzer; no weights of this one were there to measure it on

    def __init__(self, folder: Path) -> None:
        from transformers import Wav2Vec2FeatureExtractor, WavLMForXVector

        self.name = folder.name
        loaded: Any = WavLMForXVector.from_pretrained(folder, output_loading_info=True, **LOCAL)
        network, report = loaded
        missing = [key for key in report["missing_keys"] if not key.startswith("objective")]
        if missing:
            raise Unusable(
                f"{folder.name} has no speaker head ({sorted(missing)[0]} is missing): its similarities would be"
                " random. Use a speaker-verification folder such as wavlm-base-plus-sv."
            )
        self._features = Wav2Vec2FeatureExtractor.from_pretrained(folder, **LOCAL)
        super().__init__(network)

    @torch.inference_mode()
    def embed(self, waveform: Tensor, sample_rate: int) -> VoiceEmbedding:
        sound = self._sound(waveform, sample_rate)
        if not sound.abs().max() > 0:
            raise ValueError("A silent recording has no voice that could be compared.")
        values = self._features(sound.numpy(), sampling_rate=SAMPLE_RATE_HZ, return_tensors="pt")[
            "input_values"
        ]
        vector = self._ready()(input_values=self._moved(values)).embeddings[0]
        return VoiceEmbedding(torch.nn.functional.normalize(vector.float().cpu(), dim=0), self.name)


LOADERS = {"moonshine": Moonshine, "whisper": Whisper, "wavlm": WavLM}


def _file(folder: Path, name: str) -> Path:
    if not (folder / name).is_file():
        raise Unusable(f"{folder.name} lacks {name}; download the whole folder.")
    return folder / name
