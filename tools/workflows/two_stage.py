"""Two stages: the paper's sampling at 512 pixels, then twice the size; and the variant with a second-order sampler."""

from .graph import Graph
from .head import add_face_voice_words, add_introduction, add_loaders
from .models import DISTILLED_LORA, UPSCALER
from .tail import add_sampling, add_save, add_second_stage

INTRODUCTION = """
# A talking clip at twice the size

1. **First stage**: face, voice and words as in the one-stage workflow, long side 512.
2. **Second stage**: the picture is doubled to 1024 and refined in three short steps. The sound of the first \
stage is kept.
3. **Run**. The mp4 is saved in `output/video`.
"""

SETTINGS = """
**Size.** `max_side` is that of the first stage: the clip is twice as large.

**Guidance.** The values are the paper's: picture 3, sound 7, identity 4, STG 1, audio-video 3, 30 steps. \
Identity 4 here is 3 in LTXVReferenceAudio and in the authors' scripts.

**Voice not right?** It is settled in the first stage: change the seed there, and mute the second stage \
while you look for a good one.
"""

HQ_INTRODUCTION = """
# A talking clip at twice the size, the authors' HQ recipe

1. **First stage**: 15 steps of the second-order sampler `res_2s`, which makes two predictions a step and one \
at the end. The distilled LoRA helps with 0.25.
2. **Second stage**: the picture is doubled and refined with the same sampler, the distilled LoRA at 0.5. The \
sound of the first stage is kept.
3. **Run**. The mp4 is saved in `output/video`.
"""

HQ_SETTINGS = """
**Guidance.** Picture 3, sound 7, identity 4, audio-video 3 as in the paper; STG 0 as in the authors' HQ script \
(on block 28 where you turn it on).

**Rescale.** 0.45 for the picture and 1 for the sound, Lightricks' values for LTX-2.3 HQ: they rescale \
the latents' standard deviation towards the unguided one's. They are set on Guidance Options. The authors' script has the same numbers, and reads them only as on or \
off of another rescaling.

**Sampler.** `res_2s` is this pack's; it adds new noise after every step, as the authors' does.
"""

FILES = (DISTILLED_LORA, UPSCALER)


def two_stage() -> Graph:
    graph = Graph("ID-LoRA Talking Head, two stages")
    add_introduction(graph, INTRODUCTION)
    loaders = add_loaders(graph, second_stage=FILES)
    conditions = add_face_voice_words(graph, loaders)
    first = add_sampling(graph, "3 · First stage", loaders, conditions, SETTINGS)
    second = add_second_stage(graph, loaders, conditions, first, distilled_strength=0.8)
    add_save(graph, 5, loaders, second)
    return graph


def two_stage_hq() -> Graph:
    graph = Graph("ID-LoRA Talking Head, two stages HQ")
    add_introduction(graph, HQ_INTRODUCTION)
    loaders = add_loaders(graph, distilled_strength=0.25, second_stage=FILES)
    conditions = add_face_voice_words(graph, loaders)
    first = add_sampling(
        graph,
        "3 · First stage",
        loaders,
        conditions,
        HQ_SETTINGS,
        options={"stg_block_indices": "28", "video_rescale": 0.45, "audio_rescale": 1.0},
        steps=15,
        sampler_name="res_2s",
        stg_scale=0.0,
    )
    second = add_second_stage(
        graph, loaders, conditions, first, distilled_strength=0.5, sampler_name="res_2s"
    )
    add_save(graph, 5, loaders, second)
    return graph
