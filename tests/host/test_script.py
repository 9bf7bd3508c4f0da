"""The example of a script in CONTRIBUTING.md, run as it stands there but for names, port and size."""

import os
import re
import subprocess
import sys

from dev_setup.versions import ROOT
from support.host_client import output_files

EXAMPLE = re.compile(r"## From a script.*?```python\n(.*?)```", re.DOTALL)
SMALL = '"LTXIDLoRA_FirstFrame": {"max_side": 64}, "LTXIDLoRA_KSampler": {"preset.steps": 1}, "LTXIDLoRA_ClipLength"'


def in_this_host(script: str, host) -> str:
    """The script with this host's port, the example media as one's own, and a clip of 9 small frames."""
    replaced = {
        "127.0.0.1:8188": f"127.0.0.1:{host.port}",
        "me.png": "idlora_portrait.png",
        "me.wav": "idlora_voice.flac",
        '"LTXIDLoRA_ClipLength"': SMALL,
        '"seconds": 4.0': '"seconds": 0.3',
    }
    for old, new in replaced.items():
        assert old in script
        script = script.replace(old, new)
    return script


def test_the_example_posts_a_graph_that_runs(studio):
    (script,) = EXAMPLE.findall((ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8"))
    before = set(studio.get("/history"))
    # -I: nothing of the tests may be importable; a proxy of the machine must not come between.
    environment = {**os.environ, "no_proxy": "127.0.0.1"}
    subprocess.run(
        [sys.executable, "-I", "-c", in_this_host(script, studio)], cwd=ROOT, env=environment, check=True
    )
    queue = studio.get("/queue")
    posted = {entry[1] for entry in queue["queue_running"] + queue["queue_pending"]} | set(
        studio.get("/history")
    )
    (prompt_id,) = posted - before
    entry = studio.wait(prompt_id, timeout=120)
    assert entry["status"]["status_str"] == "success"
    assert any(file["filename"].endswith(".mp4") for file in output_files(entry))
    (prompt,) = (node for node in entry["prompt"][2].values() if node["class_type"] == "LTXIDLoRA_Prompt")
    assert prompt["inputs"]["speech"] == "Good morning, everyone."
