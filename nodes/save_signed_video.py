"""Save Signed Video: saves a clip as the host does, then signs what it is, who made it and who agreed."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

from comfy_api.latest import io

from ..idlora_core.credentials.manifest import Origin, checked_consent, manifest
from .host.c2pa_files import library, sign
from .host.certificates import MissingLibrary
from .host.origin import new_origin
from .host.saved_video import graph_metadata, save_video, with_frames_changed
from .host.signing_identity import Identity, identity
from .host.status import send_status
from .pictures.caption import captioned, checked_caption
from .sockets import CREDENTIALS_CATEGORY

RENDERED = ("video", "face", "voice")
"""Inputs that are only computed once it is known that the clip can be signed."""


class SaveSignedVideo(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="LTXIDLoRA_SaveSignedVideo",
            display_name="Save Signed Video",
            category=CREDENTIALS_CATEGORY,
            description=(
                "Saves an mp4 as Save Video does and signs it with content credentials (C2PA): made by a model, by"
                " whom, with whose consent. Helps others to tell what the clip is. Needs pip install c2pa-python."
            ),
            search_aliases=[
                "content credentials",
                "c2pa",
                "sign video",
                "provenance",
                "ai label",
                "save video",
                "id-lora",
            ],
            inputs=[
                io.Video.Input("video", lazy=True, tooltip="The finished clip. Signing is the last step."),
                io.String.Input(
                    "filename_prefix",
                    default="video/ComfyUI",
                    tooltip="Folder and beginning of the file's name in ComfyUI's output, as in Save Video.",
                ),
                io.String.Input(
                    "signer",
                    default="",
                    tooltip=(
                        "Your name or your company's, as everyone will read it in the file. Empty: the name in your"
                        " settings, or 'Name not given'. With a certificate of your own, its name counts."
                    ),
                ),
                io.String.Input(
                    "consent",
                    default="",
                    multiline=True,
                    tooltip=(
                        "Who agreed to what, and when: 'Jane Doe agreed on 3 May to this advert.' Everyone can read"
                        " it in the file. Empty: the file says that no consent was given."
                    ),
                ),
                io.String.Input(
                    "caption",
                    optional=True,
                    default="",
                    tooltip=(
                        "A line burnt into the lower left corner for everyone to see, such as 'Made with AI'."
                        " Latin letters. Empty: none."
                    ),
                ),
                io.Float.Input(
                    "caption_seconds",
                    optional=True,
                    default=3.0,
                    min=0.0,
                    max=3600.0,
                    step=0.1,
                    tooltip="How long the caption is seen from the start; 0 is the whole clip. Unused without a caption.",
                    advanced=True,
                ),
                io.Boolean.Input(
                    "allow_training",
                    optional=True,
                    default=False,
                    tooltip="Off: the file says that it may not be used to train models or for data mining.",
                    advanced=True,
                ),
                io.Boolean.Input(
                    "unsigned_without_c2pa",
                    optional=True,
                    default=False,
                    tooltip=(
                        "Where c2pa-python is missing, save the clip WITHOUT credentials instead of stopping before"
                        " the render."
                    ),
                    advanced=True,
                ),
                io.Image.Input(
                    "face",
                    optional=True,
                    lazy=True,
                    tooltip=(
                        "The picture the clip was made from. Only a salted fingerprint is kept in the file, which"
                        " Check Credentials can compare."
                    ),
                ),
                io.Audio.Input(
                    "voice",
                    optional=True,
                    lazy=True,
                    tooltip="The voice recording the clip was made from; kept as the face is, as a fingerprint.",
                ),
            ],
            outputs=[io.Video.Output(display_name="video", tooltip="The saved file, for Check Credentials.")],
            hidden=[io.Hidden.prompt, io.Hidden.extra_pnginfo, io.Hidden.unique_id],
            is_output_node=True,
        )

    @classmethod
    def check_lazy_status(
        cls, signer="", consent="", caption="", unsigned_without_c2pa=False, **rendered
    ) -> list[str]:
        """Asked before anything is rendered: refuse here what would be refused after half an hour."""
        _identity_or_none(signer, unsigned_without_c2pa)
        checked_consent(consent)
        checked_caption(caption)
        return [name for name in RENDERED if name in rendered and rendered[name] is None]

    @classmethod
    def execute(
        cls,
        video,
        filename_prefix,
        signer,
        consent,
        caption="",
        caption_seconds=3.0,
        allow_training=False,
        unsigned_without_c2pa=False,
        face=None,
        voice=None,
    ) -> io.NodeOutput:
        who = _identity_or_none(signer, unsigned_without_c2pa)
        if caption.strip():
            video = with_frames_changed(
                video, lambda images, rate: captioned(images, caption, rate, caption_seconds)
            )
        consent = checked_consent(consent)

        signing = who and partial(_sign, who, lambda: new_origin(face, voice, consent, allow_training))
        metadata = graph_metadata(cls.hidden.prompt, cls.hidden.extra_pnginfo)
        saved = save_video(video, filename_prefix, metadata, signing)
        send_status(cls.hidden.unique_id, f"{saved.path.name}: {_summary(who, consent)}")
        return io.NodeOutput(saved.video, ui=saved.player)


def _sign(who: Identity, origin: Callable[[], Origin], source: Path, target: Path, title: str) -> None:
    sign(source, target, manifest(origin(), title), who)


def _identity_or_none(signer: str, unsigned_without_c2pa: bool) -> Identity | None:
    """Who signs; None where c2pa-python is missing and the user would rather have the clip."""
    try:
        library()
        return identity(signer)
    except MissingLibrary:
        if unsigned_without_c2pa:
            return None
        raise


def _summary(who: Identity | None, consent: str) -> str:
    if who is None:
        return "saved WITHOUT content credentials, since c2pa-python is missing: pip install c2pa-python."
    stated = "with a consent statement" if consent else "consent: none given"
    unknown = "; to others an unknown signer, as with any self-made key" if who.is_self_made else ""
    return f"signed by {who.name}, {stated}{unknown}."


NODES = [SaveSignedVideo]
