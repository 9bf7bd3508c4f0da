"""Scoring takes with what is there: measures always, voice and words where a model file is."""

import json
from collections.abc import Sequence
from itertools import count
from pathlib import Path
from typing import Any

import comfy.model_management
import comfy.utils
import folder_paths

from ...idlora_core.reference import Reference
from ...idlora_core.takes.measures import measure_take
from ...idlora_core.takes.report import Take, TakesReport, report_on
from ...idlora_core.takes.voice_encoder import NOISE_BAND
from ...idlora_core.takes.words import normalised_words, word_error_rate
from ...idlora_core.voice_embedding import VoiceEmbedding
from ...idlora_core.whole_files import publish, temporary_file
from .metric_models import MISSING, OFF, Encoder, chosen, recogniser, voice_encoder

Audio = dict[str, Any]
NO_REFERENCE = "Voice not measured: connect reference_audio."
NO_WORDS = "Words not measured: no words are expected."


def score_takes(
    sounds: Sequence[Audio],
    seeds: Sequence[int | None],
    words: str,
    reference_audio: Audio | None,
    reference: Reference | None,
    encoder_choice: str,
    recogniser_choice: str,
) -> TakesReport:
    """Measure and rank sounds of one prompt, in the order of their seeds.

    Raises:
        ValueError: a named model is not there, or cannot be loaded; a sound that cannot be measured.
    """
    remarks: list[str] = []
    encoder = voice_encoder(encoder_choice)
    voice = _reference_voice(encoder, encoder_choice, reference_audio, reference, remarks)
    listener = _listener(recogniser_choice, words, remarks)
    heard_reference = (
        None if reference_audio is None else (reference_audio["waveform"], reference_audio["sample_rate"])
    )
    takes = []
    progress = comfy.utils.ProgressBar(len(sounds))
    for sound, seed in zip(sounds, seeds, strict=True):
        comfy.model_management.throw_exception_if_processing_interrupted()
        waveform, rate = sound["waveform"], sound["sample_rate"]
        measures = measure_take(waveform, rate, words, heard_reference)
        similarity = transcript = errors = None
        if encoder is not None and voice is not None and measures.is_spoken:
            similarity = encoder.embed(waveform, rate).similarity(voice)
        if listener is not None:
            transcript = listener.heard(waveform, rate) if measures.is_spoken else ""
            errors = word_error_rate(words, transcript)
        takes.append(Take(seed, measures, similarity, errors, transcript))
        progress.update(1)
    noise_band = NOISE_BAND if encoder is None else encoder.noise_band
    names = [
        None if model is None else model.name
        for model in (chosen("voice", encoder_choice), chosen("words", recogniser_choice))
    ]
    used = [name if part is not None else None for name, part in zip(names, (voice, listener), strict=True)]
    return report_on(takes, noise_band, words, *used, remarks=remarks)


def embedding_of(audio: Audio, encoder_choice: str) -> VoiceEmbedding:
    """The voice of a recording, to be kept in a file.

    Raises:
        ValueError: no encoder is there.
    """
    encoder = voice_encoder(encoder_choice)
    if encoder is None:
        raise ValueError(f"{MISSING['voice']} Or switch keep_embedding off.")
    return encoder.embed(audio["waveform"], audio["sample_rate"])


def write_report(report: TakesReport, filename_prefix: str) -> Path:
    """All scores as JSON in the host's output folder; the winner's seed is in the file's name.

    Raises:
        OSError: the folder cannot be written.
    """
    text = json.dumps(report.as_dict(), indent=1, ensure_ascii=False, allow_nan=False)
    winner = report.name_of(report.winner).replace(" ", "")
    output = folder_paths.get_output_directory()
    folder, name, counter, _, _ = folder_paths.get_save_image_path(filename_prefix, output)
    with temporary_file(Path(folder)) as part:
        part.write_text(text, encoding="utf-8", errors="backslashreplace")
        for number in count(counter):  # two prompts may end at once
            path = Path(folder) / f"{name}_{number:05}_{winner}.json"
            if publish(part, path):
                break
    return path


def _reference_voice(
    encoder: Encoder | None,
    choice: str,
    audio: Audio | None,
    reference: Reference | None,
    remarks: list[str],
) -> VoiceEmbedding | None:
    """What takes are compared with; None, and why, where nothing can be."""
    if encoder is None:
        remarks += [MISSING["voice"]] if choice != OFF else []
        return None
    if audio is not None:
        return encoder.embed(audio["waveform"], audio["sample_rate"])
    if reference is None or reference.embedding is None:
        remarks.append(NO_REFERENCE)
        return None
    return reference.embedding


def _listener(choice: str, words: str, remarks: list[str]):
    if choice == OFF:
        return None
    if not normalised_words(words):
        remarks.append(NO_WORDS)
        return None
    found = recogniser(choice)
    remarks += [MISSING["words"]] if found is None else []
    return found
