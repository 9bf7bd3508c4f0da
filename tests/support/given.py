"""What `dev.py test` sets up and gives to the tests, in environment variables.

IDLORA_COMFY_TREE, IDLORA_HOST_VERSION   a ComfyUI release
IDLORA_MODELS                            the small models
IDLORA_SPEECH                            a wav file of recorded speech
IDLORA_TAKES                             real weights and real speech
IDLORA_CHROMIUM                          a browser's executable
"""

import os
from pathlib import Path


def path(name: str) -> Path:
    given = os.environ.get(name)
    if not given:
        raise RuntimeError(f"{name} is not set. Run the tests with `python3 dev.py test`.")
    return Path(given)
