"""One stage: the paper's settings at 512 pixels, 121 frames."""

from .graph import Graph
from .head import add_face_voice_words, add_introduction, add_loaders
from .tail import add_sampling, add_save

TITLE = "ID-LoRA, one stage"

INTRODUCTION = """
# A face, a voice and a line of text become a talking clip

1. **Face**: the picture is the first frame of the clip. One person, facing the camera.
2. **Voice**: 3 to 5 seconds of clean, continuous speech by one person. Music and noise leak into the \
result, and a long recording is echoed.
3. **ID-LoRA Prompt**: what is seen, the exact words, how it sounds. An accent does not come from the \
recording: write it down.
4. **Run**. The mp4 is saved in `output/video`.
"""

SETTINGS = """
**Seconds.** 4.8 have room for ten to twelve words; a longer line is cut, and ID-LoRA Prompt says so. LTX-2 makes \
8n + 1 frames: Clip Length takes the next number that fits.

**Shape and size.** `shape` is the picture's, or 9:16, 1:1, 16:9; `max_side` is the longer side in pixels.

**Guidance.** The values are the paper's: picture 3, sound 7, identity 4, STG 1, audio-video 3, 30 steps. \
Identity 4 here is 3 in LTXVReferenceAudio and in the authors' scripts. With a distilled model, users report \
better results with identity 1.5 to 2.
"""


def one_stage() -> Graph:
    graph = Graph("ID-LoRA Talking Head, paper settings")
    add_introduction(graph, INTRODUCTION)
    loaders = add_loaders(graph)
    conditions = add_face_voice_words(graph, loaders)
    sampled = add_sampling(graph, "3 · Sample", loaders, conditions, SETTINGS)
    add_save(graph, 4, loaders, sampled)
    return graph


SAVED_VOICE = """
# A talking clip with a voice on file

1. **Face**: the picture is the first frame of the clip.
2. **Load Voice**: a voice from `models/idlora_voices`, or one of the synthetic ones that come with the pack. To keep \
one of your own, connect *Save Voice* to *Encode Reference Audio* once.
3. **ID-LoRA Prompt**: what is seen, the exact words, how it sounds.
4. **Run**. The mp4 is saved in `output/video`.
"""


def saved_voice() -> Graph:
    graph = Graph("ID-LoRA Talking Head, saved voice")
    add_introduction(graph, SAVED_VOICE)
    loaders = add_loaders(graph)
    conditions = add_face_voice_words(graph, loaders, is_saved_voice=True)
    sampled = add_sampling(graph, "3 · Sample", loaders, conditions, SETTINGS)
    add_save(graph, 4, loaders, sampled)
    return graph
