"""Two people who are not in the first frame: a picture of them goes through an IC-LoRA, as guide tokens of the host."""

from .graph import Graph, Node, Output, Section
from .head import (
    COLUMNS,
    DECODER_WIDTH,
    GREEN,
    ORANGE,
    PLAYER_WIDTH,
    PURPLE,
    SAMPLER_WIDTH,
    Conditions,
    Loaders,
    add_introduction,
    add_loaders,
)
from .tail import PREVIEW_HEIGHT, add_sampler, add_video_file
from .two_people import SOUNDS, VISUAL, add_cast, add_conditions

TITLE = "ID-LoRA Two People, Reference Sheet"
WIDTH, HEIGHT = 768, 448  # what the LoRA was trained on, with 121 frames
SCRIPT = "ANNA: Did you hear that?\nBEN: Hear what?"
SHEET_VISUAL = (
    "Reference sheet: a woman with a dark brown bob and a teal jumper on the left, a man with short black hair and a rust "
    f"jumper on the right. Generated video: {VISUAL}"
)

INTRODUCTION = """
# Two people whose faces come from a reference sheet, each with their own voice

1. **Reference sheet**: one picture with everybody who is to appear. It is not the first frame.
2. **Cast Member** and **Scene Script**, as in *ID-LoRA Two People Talking*; `left` and `right` must agree with what \
the prompt says.
3. **Run**. The mp4 is saved in `output/video`.
"""

GUIDE = """
**The LoRA.** Lightricks' *Ingredients* takes the sheet as a still video: the picture repeated to the clip's length, as a \
guide at frame 0. It was trained at 768 x 448, 121 frames. Its page asks you to accept a licence before the download.

**Guides and voices.** Guide tokens have the time of the clip's frames and no region. *LTXV Crop Guides* takes them away \
after sampling.

**Beside it.** MSR (LiconStudio) and Best-Face-ID (Alissonerdx) do the same in their own ways, with nodes of their own.
"""


def reference_sheet() -> Graph:
    graph = Graph(TITLE)
    add_introduction(graph, INTRODUCTION)
    loaders = add_loaders(graph, ingredients=True)
    section = graph.section("2 · Sheet, cast and script", GREEN, COLUMNS[0], is_below=True)
    sheet = section.node("LoadImage", title="Reference sheet", image="idlora_two_people.png", height=330)
    cast = add_cast(section, loaders)
    latent = section.node(
        "LTXIDLoRA_FirstFrame",
        video_vae=loaders.video_vae,
        audio_vae=loaders.audio_vae,
        width=WIDTH,
        length=cast.length,
        frame_rate=cast.frame_rate,
    )
    latent.values["height"] = HEIGHT  # as an argument it is the height of the node's body
    texts = {"visual": SHEET_VISUAL, "script": SCRIPT, "sounds": SOUNDS}
    conditions = add_conditions(graph, section, loaders, cast, texts, sheet["IMAGE"], latent["latent"])
    sampled = _add_sampling(graph, loaders, conditions)
    _add_save(graph, loaders, sampled, conditions.frame_rate)
    return graph


def _add_sampling(graph: Graph, loaders: Loaders, conditions: Conditions) -> Output:
    """The sheet becomes guide tokens behind the clip's, which are taken away after sampling."""
    section = graph.section("3 · Guide and sample", PURPLE, COLUMNS[2])
    apart = section.node("LTXVSeparateAVLatent", title="Before the guide", av_latent=conditions.latent)
    repeated = section.node("RepeatImageBatch", image=conditions.image, amount=conditions.length)
    section.note("Guide", GUIDE, height=330)
    section.column(COLUMNS[2])
    guide = section.node(
        "LTXVAddGuide",
        positive=conditions.positive,
        negative=conditions.negative,
        vae=loaders.video_vae,
        latent=apart["video_latent"],
        image=repeated["IMAGE"],
        frame_idx=0,
        strength=1.0,
    )
    section.column(COLUMNS[2])
    joint = section.node(
        "LTXVConcatAVLatent",
        title="With the guide",
        video_latent=guide["latent"],
        audio_latent=apart["audio_latent"],
    )
    section.column(SAMPLER_WIDTH)
    guided = Conditions(
        guide["positive"],
        guide["negative"],
        joint["latent"],
        conditions.reference,
        conditions.image,
        conditions.recording,
        conditions.length,
        conditions.frame_rate,
    )
    sampled = add_sampler(
        section, loaders.model, guided, latent=joint["latent"], reference=conditions.reference
    )
    section.space(PREVIEW_HEIGHT)
    return _without_guide(section, guide, sampled)


def _without_guide(section: Section, guide: Node, sampled: Output) -> Output:
    section.column(COLUMNS[2])
    apart = section.node("LTXVSeparateAVLatent", title="Sampled", av_latent=sampled)
    section.column(COLUMNS[2])
    cropped = section.node(
        "LTXVCropGuides",
        positive=guide["positive"],
        negative=guide["negative"],
        latent=apart["video_latent"],
    )
    section.column(COLUMNS[2])
    whole = section.node(
        "LTXVConcatAVLatent",
        title="Without the guide",
        video_latent=cropped["latent"],
        audio_latent=apart["audio_latent"],
    )
    return whole["latent"]


def _add_save(graph: Graph, loaders: Loaders, latent: Output, frame_rate: Output) -> None:
    section = graph.section("4 · Save", ORANGE, DECODER_WIDTH)
    decoded = section.node(
        "LTXIDLoRA_DecodeAV",
        latent=latent,
        video_vae=loaders.video_vae,
        audio_vae=loaders.audio_vae,
        frame_rate=frame_rate,
    )
    section.column(PLAYER_WIDTH)
    add_video_file(section, graph.name, decoded["video"])
