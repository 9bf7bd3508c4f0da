"""Where voices are kept: `idlora_voices`, a key of the host's model folders, and what ships with the pack."""

from pathlib import Path

import folder_paths

from ...idlora_core.voice_file import SUFFIX, checked_name

FOLDER = "idlora_voices"
SHIPPED = Path(__file__).resolve().parents[2] / "voices"


def register_folders() -> None:
    """Make the key known to the host, behind what a user's extra_model_paths.yaml says for it."""
    for folder in (Path(folder_paths.models_dir) / FOLDER, SHIPPED):
        folder_paths.add_model_folder_path(FOLDER, str(folder))


def voice_names() -> list[str]:
    """Voices in all folders of the key, without their suffix; the user's before those that ship."""
    register_folders()
    files = [Path(name) for name in folder_paths.get_filename_list(FOLDER)]
    names = [file.with_suffix("").as_posix() for file in files if file.suffix.lower() == SUFFIX]
    return sorted(names, key=lambda name: ((SHIPPED / f"{name}{SUFFIX}").is_file(), name.lower()))


def voice_path(name: str) -> Path:
    """Where a voice of that list lies.

    Raises:
        ValueError: it is not there.
    """
    register_folders()
    path = folder_paths.get_full_path(FOLDER, f"{name}{SUFFIX}")
    if path is None:
        raise ValueError(
            f"There is no voice {name!r} in models/{FOLDER}. Put its file there and refresh, or choose another."
        )
    return Path(path)


def new_voice_path(name: str, is_numbered: bool) -> Path:
    """Where a voice of that name goes.

    Args:
        is_numbered: where the name is taken, the first of `name 2`, `name 3` .. that is free.

    Raises:
        ValueError: no file can have the name.
    """
    register_folders()
    folder, name = Path(folder_paths.get_folder_paths(FOLDER)[0]), checked_name(name)
    path, number = folder / f"{name}{SUFFIX}", 2
    while is_numbered and path.exists():
        path, number = folder / f"{name} {number}{SUFFIX}", number + 1
    return path
