"""Makes the voices that ship with the pack, `voices/*.safetensors`: recordings of a speech synthesiser, nobody's.

    python -m tools.preset_voices

espeak-ng (formant synthesis, made from no speaker's recordings) reads a sentence in three voices; what is kept is the
recording at 16 kHz. There is no latent in them: they are encoded by whichever audio VAE is connected.
"""

import subprocess
import tempfile
from pathlib import Path

import av

from dev_setup.versions import ROOT
from idlora_core.consent import Consent
from idlora_core.voice_file import Voice, write_voice

FOLDER = ROOT / "voices"
RATE = 16_000
LINE = "This voice was made by a computer. It belongs to nobody, and you may use it as you like."
FRENCH_LINE = "Cette voix vient d'un ordinateur. Elle n'est à personne, et chacun peut s'en servir."
# name: language, voice of espeak-ng, words a minute, pitch (0-99), words
VOICES = {
    "Synthetic Ada (British)": ("English", "en-gb+f2", 175, 48, LINE),
    "Synthetic Ben (American)": ("English", "en-us+m3", 170, 36, LINE),
    "Synthetic Chloe (French)": ("French", "fr-fr+f4", 170, 52, FRENCH_LINE),
}
CREATED = "2026-11-21"
BY = "the maker of this synthetic voice"
STATEMENT = "Made by the speech synthesiser espeak-ng; it is nobody's voice. Use it as you like."


def make_voices(folder: Path = FOLDER) -> None:
    for name, (language, speaker, words_per_minute, pitch, line) in VOICES.items():
        flac = _read_aloud(speaker, words_per_minute, pitch, line)
        consent = Consent(by=BY, date=CREATED, scope="any use", statement=STATEMENT)
        voice = Voice(name, flac=flac, language=language, created=CREATED, consent=consent)
        path = folder / f"{name}.safetensors"
        write_voice(voice, path, replace=True)
        print(path)


def _read_aloud(voice: str, words_per_minute: int, pitch: int, words: str) -> bytes:
    """16 kHz mono FLAC of espeak-ng's reading."""
    with tempfile.TemporaryDirectory() as folder:
        spoken, flac = Path(folder) / "spoken.wav", Path(folder) / "spoken.flac"
        options = ["-v", voice, "-s", str(words_per_minute), "-p", str(pitch), "-w", str(spoken)]
        subprocess.run(["espeak-ng", *options, words], check=True)
        resampler = av.AudioResampler(format="s16", layout="mono", rate=RATE)
        with av.open(str(spoken)) as source, av.open(str(flac), "w") as target:
            stream = target.add_stream("flac", rate=RATE, layout="mono")
            for frame in [*source.decode(audio=0), None]:  # None empties the resampler
                for part in resampler.resample(frame):
                    target.mux(stream.encode(part))
            target.mux(stream.encode(None))
        return flac.read_bytes()


if __name__ == "__main__":
    make_voices()
