"""After each way of installing, a host that was started shows all of the pack; after uninstalling, none of it."""

import json
from pathlib import Path, PurePosixPath

from conftest import Archive, Installed

from bed.installing.users_comfyui import WITNESS, files
