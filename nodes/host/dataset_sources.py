"""The files that a dataset is made from: which there are, and what is in them."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor

from ...idlora_core.dataset.captions import FILE_NAME, Caption, read_captions
from ...idlora_core.dataset.manifest import FRAME_RATE
from ...idlora_core.dataset.pairs import Cut
from ...idlora_core.dataset.reasons import Remark
from ...idlora_core.dataset.store import file_digest
from ...idlora_core.voice.waveform import at_most_stereo
from .clips import SUFFIXES, read_frames, read_sound

SOUND_SUFFIXES = (".wav", ".flac", ".mp3", ".m4a", ".ogg", *SUFFIXES)


@dataclass(frozen=True)
class Source:
    """A file that was found."""

    speaker: str
    file: str
    path: Path
    cleaned: Path | None


class SourceReader:
    """The picture and sound of one clip, read when first asked for."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.digest = file_digest(source.path)
        self.reference_digest = file_digest(source.cleaned) if source.cleaned else self.digest
        self._sounds: dict[Path, tuple[Tensor, int]] = {}

    def frames(self, start: float, num_frames: int, width: int, height: int) -> Callable[[], Tensor]:
        """A call that decodes on the first use and then remembers."""
        read: list[Tensor] = []

        def frames() -> Tensor:
            if not read:
                read.append(read_frames(self.source.path, start, num_frames, FRAME_RATE, width, height))
            return read[0]

        return frames

    def sound(self, cut: Cut) -> tuple[Tensor, int]:
        """(1, 2, N) of the clip itself."""
        return self._cut(self.source.path, cut)

    def reference_sound(self, cut: Cut) -> tuple[Tensor, int]:
        """(1, 2, N) of the cleaned speech, or of the clip where there is none."""
        return self._cut(self.source.cleaned or self.source.path, cut)

    def _cut(self, path: Path, cut: Cut) -> tuple[Tensor, int]:
        if path not in self._sounds:
            self._sounds[path] = read_sound(path)
        waveform, rate = self._sounds[path]
        first, last = round(cut.start * rate), round((cut.start + cut.seconds) * rate)
        return at_most_stereo(waveform[..., first:last]).expand(-1, 2, -1), rate


def find_clips(folder: Path, cleaned: Path | None, remarks: list[Remark]) -> list[Source]:
    """All video files of a folder, or of its folders, one per speaker, in order.

    Raises:
        ValueError: there are none.
    """
    paths = sorted(
        path for path in (*folder.glob("*"), *folder.glob("*/*")) if path.suffix.lower() in SUFFIXES
    )
    paths = [path for path in paths if path.is_file() and not path.name.startswith(".")]
    if not paths:
        raise ValueError(
            f"There are no clips in {folder}; put videos there ({', '.join(SUFFIXES)}), or a folder of them for each"
            " speaker."
        )
    sources: dict[Path, Source] = {}
    for path in paths:
        file = path.relative_to(folder).as_posix()
        speaker = path.parent.name
        stem = path.with_suffix("")
        if stem in sources:
            remarks.append(Remark(file, "equal name", {"other": sources[stem].file}))
            continue
        sources[stem] = Source(speaker, file, path, cleaned and _cleaned(cleaned / stem.relative_to(folder)))
    return list(sources.values())


def _cleaned(stem: Path) -> Path | None:
    found = (stem.with_name(stem.name + suffix) for suffix in SOUND_SUFFIXES)
    return next((path for path in found if path.is_file()), None)


def captions_beside(folder: Path) -> dict[str, list[Caption]]:
    path = folder / FILE_NAME
    if not path.is_file():
        return {}
    try:
        return read_captions(path.read_text("utf-8"))
    except UnicodeDecodeError:
        raise ValueError(f"{path} is not UTF-8; save it as CSV UTF-8.") from None
