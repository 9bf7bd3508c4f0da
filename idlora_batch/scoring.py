"""Measures clips for `scores.Scorer`: a question a line on standard input, an answer a line on standard output.

    python scoring.py MODELS_FOLDER

Run by ComfyUI's own interpreter. It ends with its input.
"""

import json
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import av
import torch

from idlora_core.voice.activity import spoken_frames
from idlora_core.voice.frames import measure_frames

FRAMES_PER_SECOND = 100  # of `measure_frames`
QUIETEST = 1e-6


def main() -> None:
    answers, sys.stdout = sys.stdout, sys.stderr  # a library that prints must not break the protocol
    for line in sys.stdin:
        print(json.dumps(measured(json.loads(line))), file=answers, flush=True)


def measured(question: dict[str, str]) -> dict[str, Any]:
    """Scores and notes of one clip."""
    try:
        waveform, sample_rate = sound(Path(question["clip"]))
        return {"scores": of_sound(waveform, sample_rate), "notes": []}
    except (OSError, ValueError, RuntimeError) as error:
        return {"scores": {}, "notes": [f"not measured: {error}"]}


def sound(file: Path) -> tuple[torch.Tensor, int]:
    """(1, C, N) and its rate.

    Raises:
        ValueError: no sound.
    """
    with av.open(str(file), format="mp4") as container:
        if not container.streams.audio:
            raise ValueError("the clip has no sound")
        stream = container.streams.audio[0]
        parts = [torch.from_numpy(frame.to_ndarray()) for frame in container.decode(stream)]
        return torch.cat(parts, dim=-1)[None].float(), stream.codec_context.sample_rate


def of_sound(waveform: torch.Tensor, sample_rate: int) -> dict[str, float]:
    """What needs no model file. Whatever else measures clips is joined here."""
    frames = measure_frames(waveform, sample_rate)
    spoken = spoken_frames(frames)
    first = int(spoken.int().argmax())
    level = waveform.square().mean().sqrt().clamp_min(QUIETEST)
    return {
        "speech_share": round(spoken.float().mean().item(), 4),
        "onset_seconds": round(first / FRAMES_PER_SECOND, 2),
        "level_dbfs": round(20 * torch.log10(level).item(), 2),
        "clipped_share": round(frames.clipped[spoken].float().mean().item(), 4),
    }


if __name__ == "__main__":
    main()
