"""Check Credentials: what a video file says of itself, and whether it was changed since."""

from comfy_api.latest import io

from ..idlora_core.credentials.report import report_lines, state_sentence
from .host.credential_check import check
from .host.origin import match_sentences, salt_of, salt_to_give
from .host.status import send_status
from .sockets import CREDENTIALS_CATEGORY


class CheckCredentials(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="LTXIDLoRA_CheckCredentials",
            display_name="Check Credentials",
            category=CREDENTIALS_CATEGORY,
            description=(
                "Reads the content credentials (C2PA) of an mp4: whether it was changed since it was signed, by whom,"
                " when, whether a model made it, with whose consent. Fetches nothing from the network."
            ),
            search_aliases=[
                "content credentials",
                "c2pa",
                "verify video",
                "provenance",
                "ai detection",
                "id-lora",
            ],
            inputs=[
                io.Video.Input(
                    "video", tooltip="From Load Video, or from Save Signed Video: an mp4 or mov file."
                ),
                io.String.Input(
                    "salt",
                    optional=True,
                    default="",
                    tooltip=(
                        "Only to compare a face or voice with a clip that was signed elsewhere: the 64 digits that"
                        " this node's salt output shows there. Empty for clips that were signed here."
                    ),
                    advanced=True,
                ),
                io.Image.Input(
                    "face",
                    optional=True,
                    tooltip="Is this the picture that the clip was made from? It must be the same picture exactly.",
                ),
                io.Audio.Input(
                    "voice",
                    optional=True,
                    tooltip="Is this the recording that the clip was made from? It must be the same one exactly.",
                ),
            ],
            outputs=[
                io.String.Output(display_name="report", tooltip="All that was found, for Preview as Text."),
                io.String.Output(display_name="state", tooltip="trusted, valid, changed, invalid or none."),
                io.String.Output(
                    display_name="salt",
                    tooltip=(
                        "For clips that were signed here: give it to whom you allow to compare face and voice, and"
                        " to nobody else."
                    ),
                ),
            ],
            hidden=[io.Hidden.unique_id],
            is_output_node=True,
        )

    @classmethod
    def execute(cls, video, salt="", face=None, voice=None) -> io.NodeOutput:
        credentials, is_own = check(video)
        claims = credentials.claims
        verdict = state_sentence(credentials, is_own)
        found = salt_of(claims, salt)
        matches = match_sentences(claims, face, voice, found)
        send_status(cls.hidden.unique_id, " ".join([verdict, *matches]))
        report = "\n".join([verdict, *report_lines(claims), *matches])
        return io.NodeOutput(report, credentials.state, salt_to_give(claims, found))


NODES = [CheckCredentials]
