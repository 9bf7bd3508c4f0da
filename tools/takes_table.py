"""The table of Pick Take for its help page: four synthetic voices, compared with the first by the real voice encoder.

    python -m tools.takes_table

Small random models make noise, in which nobody speaks: their takes would have no scores to show.
"""

import io
import sys
import tempfile
from pathlib import Path

from PIL import Image

from dev_setup import downloads, takes_assets
from dev_setup.versions import NEWEST_HOST, ROOT
from support import in_process, recordings
from tools.media import VOICE
from tools.preset_voices import LINE

PICTURE = ROOT / "web" / "docs" / "images" / "run_takes.webp"
SEEDS = (42, 43, 44, 45)


def draw() -> None:
    with tempfile.TemporaryDirectory() as folder:
        in_process.import_host(downloads.comfyui(NEWEST_HOST), Path(folder))
        in_process.import_pack()
        import folder_paths

        from idlora_core.voice_file import read_voice
        from idlora_pack.nodes.host import flac, metric_models, scoring, voice_folder
        from idlora_pack.nodes.pictures import takes_picture

        models = takes_assets.takes_assets() / "metrics"
        folder_paths.folder_names_and_paths[metric_models.FOLDER] = ([str(models)], set())
        shipped = sorted(voice_folder.SHIPPED.glob("*.safetensors"))
        heard = [flac.decode_flac(read_voice(path).flac) for path in shipped] + [recordings.read(VOICE)]
        sounds = [{"waveform": waveform, "sample_rate": rate} for waveform, rate in heard]
        choices = metric_models.AUTO, metric_models.AUTO
        report = scoring.score_takes(sounds, SEEDS, LINE, sounds[0], None, *choices)
        pixels = (takes_picture.draw(report)[0] * 255).byte().numpy()
    content = io.BytesIO()
    Image.fromarray(pixels).save(content, "WEBP", quality=90, method=6)
    PICTURE.write_bytes(content.getvalue())
    print(report.status, PICTURE, file=sys.stderr)


if __name__ == "__main__":
    draw()
