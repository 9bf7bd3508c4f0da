"""LoRA files that are broken somewhere: header, shapes, types, values, metadata, the settings beside them."""

import json
import random
import struct
from pathlib import Path
from typing import Any

import folder_paths
import pytest
import torch
from comfy.sd import load_checkpoint_guess_config

from idlora_pack.nodes.host.lora import apply_lora, fit_lora
from support.small_graph import CHECKPOINT

GOOD = "small_id_lora.safetensors"
Header = dict[str, Any]
ODD = (
    None,
    True,
    0,
    -1,
    2**63,
    1e308,
    float("nan"),
    "",
    "\ud800",
    "x" * 10_000,
    [],
    {},
    [[1, 2]],
    {"a": 1},
    "BF16",
)
PATTERNS = ("([a-z0-9_]+[._]?)+!", ".*.*.*.*.*.*!", "(", "to_k", r"^.*\.to_q$", "a" * 5_000)


@pytest.fixture(scope="module")
def model(small_models: Path):
    path = small_models / "checkpoints" / CHECKPOINT
    return load_checkpoint_guess_config(str(path), output_vae=False, output_clip=False)[0]


@pytest.fixture(scope="module")
def good(small_models: Path) -> tuple[Header, bytes]:
    """Header and data of a file that loads."""
    content = (small_models / "loras" / GOOD).read_bytes()
    (length,) = struct.unpack("<Q", content[:8])
    return json.loads(content[8 : 8 + length]), content[8 + length :]


@pytest.fixture
def loras(tmp_path: Path, small_models: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folders = [str(tmp_path), str(small_models / "loras")]
    monkeypatch.setitem(folder_paths.folder_names_and_paths, "loras", (folders, {".safetensors"}))
    return tmp_path


def weights(patched) -> dict[str, torch.Tensor]:
    """The weights that the host makes of a patched model."""
    cpu = torch.device("cpu")
    return {key: patched.patch_weight_to_device(key, cpu, return_weight=True) for key in patched.patches}


def loaded(model, name: str):
    """What Load ID-LoRA makes of a model."""
    return apply_lora(model, fit_lora(model, name), 1.0)


def lora_tensors(patched) -> list[torch.Tensor]:
    adapters = [patch[1] for patches in patched.patches.values() for patch in patches]
    return [tensor for adapter in adapters for tensor in adapter.weights if isinstance(tensor, torch.Tensor)]


def change_entry(header: Header, chance: random.Random) -> None:
    entry = header[chance.choice([name for name in header if name != "__metadata__"])]
    entry[chance.choice(["dtype", "shape", "data_offsets"])] = chance.choice(ODD)


def change_shape(header: Header, chance: random.Random) -> None:
    entry = header[chance.choice([name for name in header if name != "__metadata__"])]
    entry["shape"] = chance.choice(
        [entry["shape"][::-1], [1, *entry["shape"]], [0, 8], [2**31, 2**31], [-1, 4], [7]]
    )


def change_type(header: Header, chance: random.Random) -> None:
    entry = header[chance.choice([name for name in header if name != "__metadata__"])]
    entry["dtype"] = chance.choice(["C64", "I8", "F8_E4M3", "BOOL", "F64", "F4", "none"])


def rename(header: Header, chance: random.Random) -> None:
    name = chance.choice([name for name in header if name != "__metadata__"])
    renamed = chance.choice(
        ["model." * 50_000 + name, "\ud800", "", name.upper(), name + ".alpha", "x." + name, "é" + name]
    )
    header[renamed] = header.pop(name)


def add_alpha(header: Header, chance: random.Random) -> None:
    name = chance.choice([name for name in header if name.endswith("lora_A.weight")])
    entry = {**header[name], "shape": chance.choice([[], [1], [4, 4]])}
    header[name.replace("lora_A.weight", "alpha")] = {
        **entry,
        "dtype": chance.choice(["C64", "F32", "I64", "BF16"]),
    }


def change_metadata(header: Header, chance: random.Random) -> None:
    header["__metadata__"] = chance.choice(
        [*ODD, {"lora_adapter_metadata": chance.choice(["{", "[]", "null", "7"])}]
    )


def add_settings(header: Header, chance: random.Random) -> None:
    """PEFT's settings as the diffusers package writes them into a file."""
    settings: dict[str, Any] = {"r": 4, "lora_alpha": chance.choice([4, 0, -1, 1e308, "4", None, True])}
    for key in ("rank_pattern", "alpha_pattern"):
        settings[key] = {chance.choice(PATTERNS): chance.choice([4, 0, "4", None])}
    settings[chance.choice(["r", "use_rslora", "use_dora", "lora_alpha"])] = chance.choice(ODD[:9])
    header["__metadata__"] = {"lora_adapter_metadata": json.dumps(settings)}


CHANGES = (change_entry, change_shape, change_type, rename, add_alpha, change_metadata, add_settings)


def spoil_bytes(content: bytes, chance: random.Random) -> bytes:
    """The same file with some bytes cut off, changed or moved."""
    spoilt = bytearray(content)
    kind = chance.randrange(4)
    if kind == 0:
        return bytes(spoilt[: chance.randrange(len(spoilt))])
    if kind == 1:
        return struct.pack("<Q", chance.choice([0, 1, 2**24, 2**60, 2**64 - 1])) + bytes(spoilt[8:])
    for _ in range(chance.randrange(1, 40)):
        spoilt[chance.randrange(200 if kind == 2 else len(spoilt))] = chance.randrange(256)
    return bytes(spoilt)


def write(path: Path, header: Header, data: bytes) -> None:
    text = json.dumps(header).encode("utf-8", "surrogatepass")
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)


def test_a_made_up_file(model, good, loras, case, chance, bounded, is_one_sentence):
    header, data = json.loads(json.dumps(good[0])), good[1]
    for _ in range(chance.choice([1, 1, 1, 2, 5])):
        chance.choice(CHANGES)(header, chance)
    name = f"made_up_{case}.safetensors"
    write(loras / name, header, data)
    if chance.random() < 0.3:
        (loras / name).write_bytes(spoil_bytes((loras / name).read_bytes(), chance))
    require_works_or_says_why(model, name, bounded, is_one_sentence)


@pytest.mark.parametrize("pattern", PATTERNS)
@pytest.mark.parametrize("key", ["rank_pattern", "alpha_pattern"])
def test_no_pattern_of_a_file_holds_the_host(model, good, loras, key, pattern, bounded, is_one_sentence):
    settings = {"r": 4, "lora_alpha": 4, key: {pattern: 4}}
    metadata = {"lora_adapter_metadata": json.dumps(settings)}
    write(loras / "patterns.safetensors", {**good[0], "__metadata__": metadata}, good[1])
    require_works_or_says_why(model, "patterns.safetensors", bounded, is_one_sentence)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_no_value_of_a_file_makes_a_weight_that_is_not_finite(
    model, good, loras, value, bounded, is_one_sentence
):
    header, data = good
    name, entry = next((n, e) for n, e in header.items() if n.endswith("lora_B.weight"))
    kind = {"F32": torch.float32, "BF16": torch.bfloat16, "F16": torch.float16}[entry["dtype"]]
    start, end = entry["data_offsets"]
    spoilt = torch.tensor([value], dtype=torch.float32).to(kind).view(torch.uint8).numpy().tobytes()
    write(loras / "value.safetensors", header, data[:start] + spoilt + data[start + len(spoilt) :])
    require_works_or_says_why(model, "value.safetensors", bounded, is_one_sentence)


def require_works_or_says_why(model, name: str, bounded, is_one_sentence) -> None:
    before = weights(loaded(model, GOOD))
    try:
        with bounded():
            patched = loaded(model, name)
            weights(patched)
    except ValueError as error:
        assert is_one_sentence(str(error)), str(error)
        assert name in str(error)
    else:
        assert all(tensor.isfinite().all() for tensor in lora_tensors(patched))
    after = weights(loaded(model, GOOD))
    assert all(torch.equal(after[key], before[key]) for key in before) and after.keys() == before.keys()
