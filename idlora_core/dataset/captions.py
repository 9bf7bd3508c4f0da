"""What is seen and said in each cut: captions.csv."""

import csv
import io
import math
from collections.abc import Iterable
from dataclasses import dataclass

from ..options import shown
from ..prompt import format_prompt
from ..speech_length import speech_seconds
from .reasons import LeftOut

FILE_NAME = "captions.csv"
COLUMNS = ("file", "start", "visual", "speech", "sounds")
TOLERANCE = 1.2  # of the estimate, which is good by a fifth either way


@dataclass(frozen=True)
class Caption:
    """One row: `file` is the clip's path below the folder; `start` in seconds, None = the only cut of the clip."""

    file: str
    start: float | None
    visual: str
    speech: str
    sounds: str

    @property
    def prompt(self) -> str:
        """`[VISUAL]: .. [SPEECH]: .. [SOUNDS]: ..`, as ID-LoRA Prompt writes it."""
        return format_prompt(self.visual, self.speech, self.sounds)


def read_captions(text: str) -> dict[str, list[Caption]]:
    """Rows by file.

    Raises:
        ValueError: a column is missing, or a start is not a time.
    """
    rows = csv.DictReader(io.StringIO(text.lstrip("\ufeff"), newline=""))
    missing = {"file", "speech"} - set(rows.fieldnames or ())
    if missing:
        found = ", ".join(shown(name) for name in rows.fieldnames or ()) or "nothing"
        raise ValueError(
            f"{FILE_NAME} has no column {' and no column '.join(sorted(missing))}; its first line must be"
            f" {','.join(COLUMNS)}, and holds {found}."
        )
    captions: dict[str, list[Caption]] = {}
    for row in rows:
        values = {name: (row.get(name) or "").strip() for name in COLUMNS}
        file = values["file"].replace("\\", "/")
        start = _start(values["start"], rows.line_num)
        caption = Caption(file, start, values["visual"], values["speech"], values["sounds"])
        captions.setdefault(file, []).append(caption)
    return captions


def _start(text: str, line: int) -> float | None:
    try:
        start = float(text) if text else None
    except ValueError:
        start = math.nan
    if start is not None and not 0 <= start < math.inf:
        raise ValueError(
            f"{FILE_NAME}, line {line}: start is '{shown(text)}'; write seconds, such as 12.5, or leave it empty."
        )
    return start


def checked_caption(caption: Caption | None, start: float, seconds: float) -> Caption:
    """The caption, once its words are there and can be said in a cut.

    Raises:
        LeftOut: otherwise.
    """
    if caption is None or not caption.speech:
        raise LeftOut("caption missing", start=start)
    needed = speech_seconds(caption.speech)
    if needed > TOLERANCE * seconds:
        raise LeftOut("caption too long", start=start, needed=needed, seconds=seconds)
    return caption


def written(captions: Iterable[Caption]) -> str:
    """The content of captions.csv, for the user to fill in."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for caption in captions:
        start = "" if caption.start is None else f"{caption.start:.2f}"
        writer.writerow((caption.file, start, caption.visual, caption.speech, caption.sounds))
    return text.getvalue()
