"""ID-LoRA Dataset: a folder of clips becomes what a trainer reads."""

from comfy_api.latest import io

from ..idlora_core.dataset.exports import EXPORTS
from ..idlora_core.dataset.manifest import required_consent
from ..idlora_core.frames import MAX_SIDE, checked_length, checked_size
from ..idlora_core.options import checked_choice, checked_number
from .host import dataset_folders
from .host import vae as host_vae
from .host.dataset_run import DatasetRun, Settings
from .host.status import send_status
from .host.text_features import check_text_encoder
from .pictures import dataset_picture
from .pictures.previews import players_and_picture
from .sockets import TRAINING_CATEGORY, TrainingData, audio_vae_input, video_vae_input

MAX_LENGTH = 257
MAX_REFERENCES = 8
SNR_DB = (0.0, 60.0)


class Dataset(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="LTXIDLoRA_Dataset",
            display_name="ID-LoRA Dataset",
            category=TRAINING_CATEGORY,
            description=(
                "Turns a folder of clips into a dataset for training an ID-LoRA: cuts at pauses, pairs each cut with"
                " another clip of the same voice, encodes, and writes what trainers read. Says what was left out and why."
            ),
            search_aliases=["training data", "train lora", "dataset", "musubi", "ltx-trainer", "id-lora"],
            inputs=[
                io.String.Input(
                    "clips",
                    default="",
                    tooltip=(
                        "A folder of videos of one person speaking, or of one folder per person: a full path, or one"
                        " below ComfyUI's input folder. captions.csv is looked for there."
                    ),
                ),
                io.String.Input(
                    "name", default="my_voice", tooltip="The dataset's folder below output/idlora_datasets."
                ),
                io.String.Input(
                    "consent",
                    default="",
                    multiline=True,
                    tooltip=(
                        "Required. Who agreed that a model is trained on their face and voice, when and for what. Kept"
                        " in the dataset and in every export."
                    ),
                ),
                video_vae_input(),
                audio_vae_input(),
                io.Clip.Input(
                    "clip", tooltip="From LTXV Audio Text Encoder Loader: Gemma 3, with the same checkpoint."
                ),
                io.Combo.Input(
                    "exports",
                    options=list(EXPORTS),
                    default="all",
                    tooltip=(
                        "What is written beside the dataset: the layout of ID-LoRA's authors with their configuration;"
                        " clips for musubi-tuner (with its TOML and commands) and ltx-trainer (metadata.jsonl)."
                    ),
                ),
                io.String.Input(
                    "cleaned_speech",
                    default="",
                    optional=True,
                    tooltip=(
                        "A folder of separated speech, files named as the clips. References are taken from it, as in"
                        " the paper: from an unseparated recording a model learns to copy the room. Empty: noisy clips"
                        " are left out."
                    ),
                ),
                io.Int.Input(
                    "width",
                    default=512,
                    min=32,
                    max=MAX_SIDE,
                    step=32,
                    optional=True,
                    tooltip="Pixels. Paper: 512.",
                ),
                io.Int.Input(
                    "height",
                    default=512,
                    min=32,
                    max=MAX_SIDE,
                    step=32,
                    optional=True,
                    tooltip="Pixels. Paper: 512.",
                ),
                io.Int.Input(
                    "length",
                    default=121,
                    min=9,
                    max=MAX_LENGTH,
                    step=8,
                    optional=True,
                    tooltip="Frames of a cut, 8n + 1, at 25 a second. Paper: 121, 4.84 s. 97 or 73 for short clips.",
                ),
                io.Int.Input(
                    "references_per_target",
                    default=1,
                    min=1,
                    max=MAX_REFERENCES,
                    optional=True,
                    advanced=True,
                    tooltip="Pairs made of each cut, each with another reference. More pairs, not more speech.",
                ),
                io.Float.Input(
                    "least_snr_db",
                    default=15.0,
                    min=SNR_DB[0],
                    max=SNR_DB[1],
                    step=1.0,
                    optional=True,
                    advanced=True,
                    tooltip="Clips whose speech is less far above their noise are left out. Measured in cleaned_speech where there is one.",
                ),
                io.Int.Input(
                    "pairing_seed",
                    default=0,
                    min=0,
                    max=2**32 - 1,
                    optional=True,
                    advanced=True,
                    tooltip="Decides which reference goes with which cut.",
                ),
            ],
            outputs=[
                TrainingData.Output(display_name="dataset", tooltip="The dataset's folder, for training."),
                io.String.Output(
                    display_name="report", tooltip="What was used and what was left out, line by line."
                ),
            ],
            hidden=[io.Hidden.unique_id],
            is_output_node=True,
        )

    @classmethod
    def fingerprint_inputs(cls, clips=None, cleaned_speech=None, **_: object) -> list[tuple[str, int, int]]:
        """What is in the folders: a new clip or caption is a reason to run again."""
        return [
            entry for text in filter(None, (clips, cleaned_speech)) for entry in dataset_folders.content(text)
        ]

    @classmethod
    def execute(
        cls,
        clips,
        name,
        consent,
        video_vae,
        audio_vae,
        clip,
        exports,
        cleaned_speech="",
        width=512,
        height=512,
        length=121,
        references_per_target=1,
        least_snr_db=15.0,
        pairing_seed=0,
    ) -> io.NodeOutput:
        host_vae.check_video_vae(video_vae)
        host_vae.audio_model(audio_vae)
        check_text_encoder(clip)
        checked_number("length", length, 9, MAX_LENGTH)
        settings = Settings(
            clips=dataset_folders.source("clips", clips),
            cleaned=dataset_folders.source("cleaned_speech", cleaned_speech)
            if cleaned_speech.strip()
            else None,
            output=dataset_folders.target(name),
            consent=required_consent(consent),
            width=checked_size(width, height)[0],
            height=height,
            num_frames=checked_length(length),
            references_per_target=int(
                checked_number("references_per_target", references_per_target, 1, MAX_REFERENCES)
            ),
            seed=pairing_seed,
            least_snr_db=checked_number("least_snr_db", least_snr_db, *SNR_DB, " dB"),
            exports=checked_choice("exports", exports, tuple(EXPORTS)),
        )
        dataset, report = DatasetRun(settings, video_vae, audio_vae, clip).run()
        remark = "" if report.num_pairs else " Nothing can be trained with this: see the report."
        shown, problem = players_and_picture([], lambda: dataset_picture.draw(report))
        send_status(cls.hidden.unique_id, " ".join(filter(None, [f"{report.summary}.{remark}", problem])))
        outputs = dataset, report.text
        return io.NodeOutput(*outputs, ui=shown) if shown else io.NodeOutput(*outputs)


NODES = [Dataset]
