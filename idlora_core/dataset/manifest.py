"""What a dataset is: pairs of a target and a reference, in dataset.json, with the consent they were recorded under."""

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path

from ..credentials.manifest import checked_consent
from .store import Store, replace_whole

FILE_NAME = "dataset.json"
CONSENT_NAME = "CONSENT.txt"
FORMAT = 1
FRAME_RATE = 25.0


@dataclass(frozen=True)
class Sample:
    """One pair. `video`, `audio`, `reference`, `text`, `clip`, `reference_sound`: keys in the store.

    Attributes:
        name: unlike any other's; also a file's name.
        target, target_start: clip and second that the target begins at.
        source, source_start: of the reference.
        prompt: the target's caption.
    """

    name: str
    speaker: str
    target: str
    target_start: float
    source: str
    source_start: float
    prompt: str
    video: str
    audio: str
    reference: str
    text: str
    clip: str
    reference_sound: str


@dataclass(frozen=True)
class Dataset:
    """A dataset on disk: socket IDLORA_DATASET."""

    folder: Path
    width: int
    height: int
    num_frames: int
    seed: int
    consent: str
    samples: tuple[Sample, ...]

    @property
    def store(self) -> Store:
        return Store(self.folder / "cache")

    @property
    def content(self) -> str:
        """What dataset.json holds."""
        fields = {**asdict(self), "format": FORMAT, "frame_rate": FRAME_RATE}
        del fields["folder"]
        return json.dumps(fields, indent=1, ensure_ascii=False)

    @property
    def digest(self) -> str:
        return hashlib.sha256(self.content.encode()).hexdigest()

    def save(self) -> None:
        replace_whole(self.folder / FILE_NAME, lambda part: part.write_text(self.content, "utf-8"))
        save_consent(self.folder, self.consent)


def save_consent(folder: Path, consent: str) -> None:
    """The statement beside whatever was made of the recordings."""
    text = f"The people in these recordings agreed, as stated by who made this dataset:\n\n{consent}\n"
    replace_whole(folder / CONSENT_NAME, lambda part: part.write_text(text, "utf-8"))


def required_consent(text: str) -> str:
    """The statement without blank ends.

    Raises:
        ValueError: it is empty or too long.
    """
    text = checked_consent(text)
    if not text:
        raise ValueError(
            "The consent field is empty: write who agreed that a model is trained on their face and voice, when and"
            " for what. It is kept in the dataset and in every export."
        )
    return text


def read_dataset(folder: Path) -> Dataset:
    """The dataset in a folder.

    Raises:
        ValueError: there is none, or it is of another format.
    """
    try:
        fields = json.loads((folder / FILE_NAME).read_text("utf-8"))
        if fields.pop("format") != FORMAT or fields.pop("frame_rate") != FRAME_RATE:
            raise ValueError(f"format {FORMAT} is read here")
        samples = tuple(Sample(**sample) for sample in fields.pop("samples"))
        return Dataset(folder=folder, samples=samples, **fields)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(
            f"{folder} does not hold a dataset of ID-LoRA Dataset ({error}): run that node again."
        ) from None
