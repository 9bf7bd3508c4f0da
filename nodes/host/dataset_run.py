"""The whole way from a folder of clips to a dataset on disk."""

import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path

import comfy.model_management
import comfy.utils
import torch
from comfy.sd import CLIP, VAE
from torch import Tensor

from ...idlora_core.dataset.analysis import Clip, analysed
from ...idlora_core.dataset.captions import Caption, written
from ...idlora_core.dataset.exports import AUTHORS, CLIPS, EXPORTS, export
from ...idlora_core.dataset.manifest import FRAME_RATE, Dataset, Sample
from ...idlora_core.dataset.pairs import Cut
from ...idlora_core.dataset.plan import Pair, Plan, plan
from ...idlora_core.dataset.reasons import LeftOut, Remark
from ...idlora_core.dataset.report import Report, report
from ...idlora_core.dataset.store import MEGABYTE, Store, check_space, key_of, replace_whole
from ...idlora_core.sound import fitted_to_frames
from ...idlora_core.voice.recording import prepare_recording
from ...idlora_core.voice.waveform import resampled
from ...idlora_core.voice_embedding import VoiceEmbedding
from . import vae as host_vae
from .clips import Unreadable, clip_info, read_sound, write_clip, write_wav
from .dataset_sources import Source, SourceReader, captions_beside, find_clips
from .fingerprints import weights_digest
from .metric_models import AUTO, voice_encoder
from .text_features import text_features

TO_FILL_NAME = "captions_to_fill.csv"
NUMERICS = "host, float32"
SHORT_SOUND_SECONDS = 0.2
TEXT_MEGABYTES = {AUTHORS: 13.0, CLIPS: 0.0}
CLIP_MEGABYTES = 3.0


@dataclass(frozen=True)
class Settings:
    """What the node's widgets say."""

    clips: Path
    cleaned: Path | None
    output: Path
    consent: str
    width: int
    height: int
    num_frames: int
    references_per_target: int
    seed: int
    least_snr_db: float
    exports: str

    @property
    def cut_seconds(self) -> float:
        return self.num_frames / FRAME_RATE


class DatasetRun:
    """One run. Whatever is wrong with a clip becomes a remark; whatever is wrong with the graph is raised."""

    def __init__(self, settings: Settings, video_vae: VAE, audio_vae: VAE, clip: CLIP) -> None:
        self.settings, self.video_vae, self.audio_vae, self.clip = settings, video_vae, audio_vae, clip
        self.rate = host_vae.audio_grid(audio_vae).sample_rate
        settings.output.mkdir(parents=True, exist_ok=True)
        self.store = Store(settings.output / "cache")
        self.remarks: list[Remark] = []
        self.num_encoded = 0
        self.encoder = voice_encoder(AUTO)
        self.voices: dict[str, VoiceEmbedding] = {}
        models = {
            "video_vae": video_vae.patcher,
            "audio_vae": audio_vae.patcher,
            "text": clip.patcher,
        }
        self.weights = {name: weights_digest(model) for name, model in models.items()}

    def run(self) -> tuple[Dataset, Report]:
        """Read, plan, encode, export.

        Raises:
            ValueError: the folder holds no clips, captions.csv cannot be read, or the disk is too small.
            RuntimeError: the folder cannot be written.
        """
        try:
            return self._run()
        except OSError as error:
            raise RuntimeError(
                f"The dataset could not be made in {self.settings.output}: {error.strerror or error}. What was encoded"
                " is kept for the next run."
            ) from error

    def _run(self) -> tuple[Dataset, Report]:
        settings = self.settings
        sources = find_clips(settings.clips, settings.cleaned, self.remarks)
        files = [(source.speaker, source.file) for source in sources]
        files += [((settings.clips / remark.file).parent.name, remark.file) for remark in self.remarks]
        captions = captions_beside(settings.clips)
        clips = self._analyse(sources)
        made = plan(
            clips,
            captions,
            [file for _, file in files],
            settings.cut_seconds,
            settings.references_per_target,
            settings.seed,
            self.voices,
        )
        _write_to_fill(settings.output, made.to_fill)
        made, samples = self._encode(made, {source.file: source for source in sources})
        dataset = Dataset(
            settings.output,
            settings.width,
            settings.height,
            settings.num_frames,
            settings.seed,
            settings.consent,
            tuple(samples),
        )
        dataset.save()
        for kind in EXPORTS[settings.exports] if samples else ():
            comfy.model_management.throw_exception_if_processing_interrupted()
            export(dataset, kind)
        return dataset, report(clips, files, made, self.remarks, self.num_encoded)

    # --- Reading ----------------------------------------------------------------------------------------------

    def _analyse(self, sources: list[Source]) -> list[Clip]:
        clips = []
        for source in sources:
            comfy.model_management.throw_exception_if_processing_interrupted()
            try:
                clips.append(self._analysed(source))
            except LeftOut as left_out:
                self.remarks.append(Remark(source.file, left_out.reason, left_out.figures))
            except Unreadable as error:
                self.remarks.append(Remark(source.file, "corrupt", {"error": error}))
        return clips

    def _analysed(self, source: Source) -> Clip:
        settings = self.settings
        info = clip_info(source.path)
        if info.hdr:
            raise LeftOut("HDR", transfer=info.hdr)
        if not info.has_audio:
            raise LeftOut("no audio")
        waveform, rate = read_sound(source.path)
        cleaned = read_sound(source.cleaned) if source.cleaned else None
        clip = analysed(
            source.speaker,
            source.file,
            waveform,
            rate,
            info.seconds,
            settings.cut_seconds,
            settings.least_snr_db,
            cleaned,
        )
        if self.encoder is not None:
            sound, sound_rate = cleaned if cleaned and clip.reference_starts else (waveform, rate)
            first = round(clip.starts[0] * sound_rate)
            heard = sound[..., first : first + round(settings.cut_seconds * sound_rate)]
            self.voices[source.file] = self.encoder.embed(heard, sound_rate)
        missing = info.seconds - waveform.shape[-1] / rate
        if missing > SHORT_SOUND_SECONDS:
            self.remarks.append(Remark(source.file, "short sound", {"seconds": missing}))
        if info.is_rate_variable:
            self.remarks.append(Remark(source.file, "variable frame rate", {"rate": FRAME_RATE}))
        if info.width < settings.width or info.height < settings.height or info.width % 2 or info.height % 2:
            sizes = {"width": info.width, "height": info.height}
            targets = {"target_width": settings.width, "target_height": settings.height}
            self.remarks.append(Remark(source.file, "size", {**sizes, **targets}))
        return clip

    # --- Encoding ---------------------------------------------------------------------------------------------

    def _encode(self, made: Plan, sources: dict[str, Source]) -> tuple[Plan, list[Sample]]:
        """Every target, reference and caption of the plan; less what turns out to be broken."""
        targets = dict.fromkeys(pair.target for pair in made.pairs)
        references = dict.fromkeys(pair.reference for pair in made.pairs)
        prompts = dict.fromkeys(pair.caption.prompt for pair in made.pairs)
        self._check_space(len(targets), len(made.pairs))
        wanted = sorted({*targets, *references}, key=lambda cut: (cut.file, cut.start))
        progress = comfy.utils.ProgressBar(len(wanted) + len(prompts))
        text_keys: dict[str, str] = {}
        keys: dict[tuple[Cut, str], dict[str, str]] = {}
        for prompt in prompts:
            text_keys[prompt] = key_of(kind="text", prompt=prompt, weights=self.weights["text"])
            self._keep(text_keys[prompt], lambda prompt=prompt: text_features(self.clip, prompt))
            progress.update(1)
        for file, cuts in groupby(wanted, key=lambda cut: cut.file):
            reader = SourceReader(sources[file])
            try:
                for cut in cuts:
                    if cut in targets:
                        keys[cut, "target"] = self._encode_target(cut, reader)
                    if cut in references:
                        keys[cut, "reference"] = self._encode_reference(cut, reader)
                    progress.update(1)
            except Unreadable as error:
                self.remarks.append(Remark(file, "corrupt", {"error": error}))
        whole = [p for p in made.pairs if (p.target, "target") in keys and (p.reference, "reference") in keys]
        return replace(made, pairs=tuple(whole)), [_sample(pair, keys, text_keys) for pair in whole]

    def _encode_target(self, cut: Cut, reader: SourceReader) -> dict[str, str]:
        settings = self.settings
        size = {"frames": settings.num_frames, "width": settings.width, "height": settings.height}
        place = {"source": reader.digest, "start": cut.start, **size, "numerics": NUMERICS}
        video = key_of(kind="video", weights=self.weights["video_vae"], **place)
        audio = key_of(kind="audio", weights=self.weights["audio_vae"], **place)
        clip = key_of(kind="clip", **place)
        frames = reader.frames(cut.start, settings.num_frames, settings.width, settings.height)

        def sound(rate: int | None = None) -> tuple[Tensor, int]:
            waveform, own = reader.sound(cut)
            to = rate or own
            waveform = resampled(waveform, own, to)
            return fitted_to_frames(waveform, to, settings.num_frames, FRAME_RATE), to

        self._keep(video, lambda: {"latent": host_vae.encode_frames(self.video_vae, frames())})
        self._keep(audio, lambda: {"latent": host_vae.encode_reference(self.audio_vae, sound(self.rate)[0])})
        if CLIPS in EXPORTS[settings.exports]:
            self._keep_file(clip, ".mp4", lambda part: write_clip(part, frames(), FRAME_RATE, *sound()))
        return {"video": video, "audio": audio, "clip": clip}

    def _encode_reference(self, cut: Cut, reader: SourceReader) -> dict[str, str]:
        place = {"source": reader.reference_digest, "start": cut.start, "seconds": cut.seconds}
        latent = key_of(kind="reference", weights=self.weights["audio_vae"], numerics=NUMERICS, **place)
        sound = key_of(kind="reference sound", rate=self.rate, **place)

        def waveform() -> Tensor:
            cut_out, rate = reader.reference_sound(cut)
            return prepare_recording(cut_out, rate, self.rate, cut.seconds).waveform

        def encoded() -> dict[str, Tensor]:
            prepared = waveform()
            seconds = torch.tensor(prepared.shape[-1] / self.rate)
            return {"latent": host_vae.encode_reference(self.audio_vae, prepared), "seconds": seconds}

        self._keep(latent, encoded)
        if CLIPS in EXPORTS[self.settings.exports]:
            self._keep_file(sound, ".wav", lambda part: write_wav(part, waveform(), self.rate))
        return {"reference": latent, "reference_sound": sound}

    def _keep(self, key: str, encode: Callable[[], dict[str, Tensor]]) -> None:
        comfy.model_management.throw_exception_if_processing_interrupted()
        if not self.store.has(key):
            self.store.keep_tensors(key, encode())
            self.num_encoded += 1

    def _keep_file(self, key: str, suffix: str, write: Callable[[Path], None]) -> None:
        comfy.model_management.throw_exception_if_processing_interrupted()
        if not self.store.has(key, suffix):
            self.store.keep_file(key, suffix, write)

    def _check_space(self, num_targets: int, num_pairs: int) -> None:
        settings, kinds = self.settings, EXPORTS[self.settings.exports]
        latent = settings.width * settings.height * settings.num_frames / 8 / 32**2 * 128 * 4 / MEGABYTE
        each = latent + CLIP_MEGABYTES
        needed = num_targets * each + num_pairs * sum(latent / 2 + TEXT_MEGABYTES[kind] for kind in kinds)
        kept = sum(entry.stat().st_size for entry in os.scandir(self.store.folder)) / MEGABYTE
        check_space(settings.output, round(max(needed - kept, 0) * MEGABYTE))


def _write_to_fill(output: Path, rows: tuple[Caption, ...]) -> None:
    replace_whole(output / TO_FILL_NAME, lambda part: part.write_text(written(rows), "utf-8"))


def _sample(pair: Pair, keys: dict[tuple[Cut, str], dict[str, str]], text_keys: dict[str, str]) -> Sample:
    target, reference = pair.target, pair.reference
    return Sample(
        name=f"{target.name}_{reference.name[-15:]}",
        speaker=target.speaker,
        target=target.file,
        target_start=target.start,
        source=reference.file,
        source_start=reference.start,
        prompt=pair.caption.prompt,
        text=text_keys[pair.caption.prompt],
        **keys[target, "target"],
        **keys[reference, "reference"],
    )
