"""Scores of a clip, by a program of its own that ComfyUI's Python runs: it has PyTorch and PyAV, this one need not.

-> {"clip": "a.mp4", "voice": "ann.wav", "speech": "Hello."}
<- {"scores": {"speech_share": 0.82}, "notes": ["voice_similarity: put resemblyzer.pt in models/..."]}
"""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

PROGRAM = Path(__file__).resolve().parent / "scoring.py"
WHAT = {
    "voice_similarity": "cosine of speaker embeddings of the clip and the reference; higher is closer",
    "word_error_rate": "share of the words that were said otherwise; lower is better",
    "speech_share": "share of the clip in which somebody speaks",
    "onset_seconds": "when speech begins",
    "level_dbfs": "root mean square of the sound, in dB of full scale",
    "clipped_share": "share of the clip's speech that is clipped",
}


class Scorer:
    """Measures clips one after another; a clip that cannot be measured has no scores and a note why.

    python: an interpreter with PyTorch, PyAV and the pack's requirements; None measures nothing.
    """

    def __init__(self, python: Path | None, models: Path | None = None):
        self.python, self.models = python, models
        self._process: subprocess.Popen | None = None

    def scores(self, clip: Path, voice: str, speech: str) -> dict[str, Any]:
        """Name -> number, and "notes" with what was not measured and why."""
        if self.python is None:
            return {}
        try:
            return self._answer({"clip": str(clip), "voice": voice, "speech": speech})
        except (OSError, ValueError) as error:
            self.close()
            return {"notes": [f"not measured: {error}"]}

    def close(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.wait()

    def _answer(self, question: dict[str, str]) -> dict[str, Any]:
        process = self._started()
        assert process.stdin and process.stdout
        process.stdin.write(json.dumps(question) + "\n")
        process.stdin.flush()
        line = process.stdout.readline()
        if not line:
            raise ValueError(f"the measuring program ended with {process.wait()}")
        answer = json.loads(line)
        return {**answer["scores"], **({"notes": answer["notes"]} if answer["notes"] else {})}

    def _started(self) -> subprocess.Popen:
        if self._process is None or self._process.poll() is not None:
            command = [str(self.python), str(PROGRAM), str(self.models or "")]
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
                encoding="utf-8",
                start_new_session=True,
            )
        return self._process

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_process": None}


def numbers(scores: dict[str, Any]) -> dict[str, float]:
    """The measured values of a record's scores."""
    return {
        name: float(value)
        for name, value in scores.items()
        if isinstance(value, (int, float)) and not isinstance(value, bool)
    }


def own_python() -> Path | None:
    """This interpreter, where it has what measuring needs: for servers whose Python is elsewhere."""
    import importlib.util

    needed = ("torch", "torchaudio", "av")
    return Path(sys.executable) if all(importlib.util.find_spec(name) for name in needed) else None
