"""The example media of `workflows/assets/`: a face and a voice that belong to nobody, Apache-2.0 like the rest.

`idlora_portrait.png` was drawn by code, from outlines; no photograph was used. `idlora_voice.flac` is `VOICE_LINE` in
espeak-ng's formant synthesis, which is not made from recordings of a speaker, behind 0.3 s of silence:

    espeak-ng -v en-gb+f3 -s 170 -p 42 -w spoken.wav "This is a synthetic voice, ..."
    ffmpeg -i spoken.wav -af adelay=300 -ar 24000 -ac 1 idlora_voice.flac

`idlora_portrait_2.png` and `idlora_two_people.png` were drawn in the same way; `idlora_voice_2.flac` is a deeper voice of
the same synthesiser.
"""

from dev_setup.versions import ROOT

ASSETS = ROOT / "workflows" / "assets"
PORTRAIT = ASSETS / "idlora_portrait.png"
VOICE = ASSETS / "idlora_voice.flac"

VOICE_LINE = (
    "This is a synthetic voice, made for testing. It belongs to nobody, and you may use it as you like."
)
VOICE_SAMPLE_RATE = 24000
LEADING_SILENCE_SECONDS = 0.3
