"""Reading the credentials of a VIDEO, and whose they are."""

import io
from pathlib import Path

from comfy_api.latest import Input, InputImpl

from ...idlora_core.credentials.report import Credentials
from .c2pa_files import read_file
from .credential_settings import read_settings
from .signing_identity import own_roots


def check(video: Input.Video) -> tuple[Credentials, bool]:
    """The credentials of the file behind a VIDEO.

    Returns:
        The credentials, and whether this installation's own key signed them.

    Raises:
        ValueError: no file to check, or one that is made to do harm.
        RuntimeError: c2pa-python is missing, or the trusted certificates of the settings cannot be used.
    """
    source = _file_of(video)
    own = own_roots()
    credentials = read_file(source, own)
    if credentials.state == "trusted":
        return credentials, True
    trusted = _trusted_roots(read_settings().trusted)
    return (read_file(source, trusted) if trusted else credentials), False


def _file_of(video: Input.Video) -> Path | io.BytesIO:
    """The file as it is, all of it: what the graph makes of it has no credentials."""
    if not isinstance(video, InputImpl.VideoFromFile):
        raise ValueError(
            "This video was made in the graph and is not a file yet, so it has no credentials. Connect Load Video, or"
            " the output of Save Signed Video."
        )
    source = video.get_stream_source()
    return Path(source) if isinstance(source, str) else source


def _trusted_roots(path: str) -> str:
    if not path:
        return ""
    try:
        return Path(path).expanduser().read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        raise RuntimeError(
            f"The trusted certificates {path} of your settings cannot be read: {error}"
        ) from None
