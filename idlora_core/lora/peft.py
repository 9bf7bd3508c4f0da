"""PEFT's settings of an adapter: what its weights are multiplied by when they are merged.

    scale = alpha / r           use_rslora: alpha / sqrt(r)
    alpha = alpha_pattern's entry for the module, else lora_alpha; r likewise from rank_pattern, else r

They are in `adapter_config.json` beside a PEFT adapter, or in the metadata of a file that diffusers saved. What
would change the merged weights in a way that is not computed here is refused by name.

Source: the package peft, 0.21 (`LoraConfig`, `get_pattern_key`, `LoraLayer.update_layer`).
"""

import json
import math
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .safetensors_header import Header, refuse, shown

CONFIG_NAME = "adapter_config.json"
MAX_CONFIG_BYTES = 4_000_000
DIFFUSERS_METADATA_KEY = "lora_adapter_metadata"
DIFFUSERS_METADATA_PREFIX = "transformer."
MAX_PATTERNS, MAX_PATTERN_LENGTH, MAX_WILDCARDS = 1000, 300, 100

REFUSED_FEATURES = (
    "alora_invocation_tokens", "arrow_config", "kasa_config", "layer_replication", "lora_bias", "megatron_config",
    "modules_to_save", "monteclora_config", "target_parameters", "trainable_token_indices", "use_bdlora",
    "use_qalora",
)  # fmt: skip
"""Settings that, when on, do more to the model than LoRA, RsLoRA and DoRA do."""

HARMLESS_INITS = ("gaussian", "eva", "orthogonal", "mica")
"""Ways to start a training that leave the base weights alone; the others (PiSSA, OLoRA, ...) change them."""


class Patterns:
    """A `rank_pattern` or `alpha_pattern`: the first pattern that fits a module's name gives its number.

    PEFT runs each as the regular expression `(.*\\.)?(PATTERN)$`. Expressions out of a downloaded file can take
    for ever, so what is understood here is a name, or its end after a dot, in which `.*` stands for anything, with
    `^` where it must be the whole name. A dot is a dot; beside `.*` it needs its backslash, for there PEFT's would
    fit names of other lengths.
    """

    PLAIN = re.compile(r"\^?(?:(?:[\w-]|\\?\.)+|(?:[\w-]|\\\.|\.\*)+)\$?", re.ASCII)

    def __init__(self, config: dict[str, Any], key: str, source: str) -> None:
        patterns = config.get(key) or {}
        if not isinstance(patterns, dict):
            refuse(source, f"has {key} {shown(patterns)}; it must map module names to numbers")
        self._names: dict[str, tuple[int, float]] = {}
        self._wildcards: list[tuple[int, float, bool, list[str]]] = []
        for order, (pattern, value) in enumerate(patterns.items()):
            number = _number(value, f"{key} of {shown(pattern)}", source)
            if len(pattern) > MAX_PATTERN_LENGTH or not self.PLAIN.fullmatch(pattern):
                refuse(
                    source,
                    f"has {key} {shown(pattern)}; only names and .* are understood: merge it with PEFT",
                )
            pieces = pattern.removesuffix("$").removeprefix("^").replace("\\.", ".").split(".*")
            if len(pieces) == 1 and not pattern.startswith("^"):
                self._names.setdefault(pieces[0], (order, number))
            else:
                self._wildcards.append((order, number, pattern.startswith("^"), pieces))
        if len(patterns) > MAX_PATTERNS or sum(len(row[3]) for row in self._wildcards) > MAX_WILDCARDS:
            refuse(
                source,
                f"has a {key} of {len(patterns)} patterns, more than a trainer writes; merge it with PEFT",
            )

    def value(self, module: str, default: float) -> float:
        """The number of a module, named as in the model that was trained."""
        ends = [module, *(module[dot.end() :] for dot in re.finditer(r"\.", module))]
        found = [self._names[end] for end in ends if end in self._names]
        found += [
            (order, number)
            for order, number, whole, pieces in self._wildcards
            if _fits(module, whole, pieces)
        ]
        return min(found)[1] if found else default


def _fits(module: str, is_whole: bool, pieces: list[str]) -> bool:
    """Whether the pieces follow each other in a name, the first after a dot, the last at the end."""
    first, *middle, last = pieces if len(pieces) > 1 else (*pieces, "")
    if module.startswith(first):
        position = len(first)
    elif is_whole or (position := module.find(f".{first}") + 1 + len(first)) <= len(first):
        return False
    if len(pieces) == 1:
        return position == len(module)
    for piece in middle:
        position = module.find(piece, position) + len(piece)
        if position < len(piece):
            return False
    return module.endswith(last) and len(module) - len(last) >= position


@dataclass(frozen=True)
class PeftSettings:
    """The settings that decide the scale of each target.

    Attributes:
        source: where they were read, for messages.
        rank, alpha: `r` and `lora_alpha`. rank_pattern, alpha_pattern: modules with other ones.
        use_rslora: divide alpha by the square root of the rank.
        use_dora: every target has a magnitude vector.
        base_model: the model that was trained, as the trainer named it, or "".
    """

    source: str
    rank: float
    alpha: float
    rank_pattern: Patterns
    alpha_pattern: Patterns
    use_rslora: bool
    use_dora: bool
    base_model: str

    def rank_of(self, module: str) -> float:
        """r of a module, named as in the model that was trained."""
        return self.rank_pattern.value(module, self.rank)

    def alpha_of(self, module: str) -> float:
        """The alpha whose quotient by r is the module's scale, RsLoRA's square root worked in."""
        alpha = self.alpha_pattern.value(module, self.alpha)
        return alpha * math.sqrt(self.rank_of(module)) if self.use_rslora else alpha


def settings_beside(lora_path: Path) -> PeftSettings | None:
    """The settings in `adapter_config.json` beside a file; None when there is none.

    Raises:
        ValueError: the file is not one of PEFT's LoRA, or turns on a feature that is not computed here.
    """
    path = lora_path.with_name(CONFIG_NAME)
    if not path.is_file():
        return None
    source = f"{CONFIG_NAME} beside {shown(lora_path.name)}"
    try:
        with path.open("rb") as file:
            text = file.read(MAX_CONFIG_BYTES)
    except OSError as error:
        refuse(source, f"cannot be read ({shown(error.strerror)})")
    return _settings(_json_object(text, source), source)


def settings_inside(header: Header) -> PeftSettings | None:
    """The settings that diffusers saves in a file's metadata; None when there are none.

    Raises:
        ValueError: as `settings_beside`.
    """
    text = header.metadata.get(DIFFUSERS_METADATA_KEY)
    if text is None:
        return None
    source = f"{DIFFUSERS_METADATA_KEY} in {shown(header.path.name)}"
    config = _json_object(text[:MAX_CONFIG_BYTES].encode("utf-8", "replace"), source)
    return _settings({key.removeprefix(DIFFUSERS_METADATA_PREFIX): config[key] for key in config}, source)


def _json_object(text: bytes, source: str) -> dict[str, Any]:
    try:
        config = json.loads(text.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        refuse(source, f"is not valid JSON ({shown(error)}); get the one that was saved with it")
    if not isinstance(config, dict):
        refuse(source, "is not a JSON object; get the one that was saved with it")
    return config


def _settings(config: dict[str, Any], source: str) -> PeftSettings:
    """The settings in a config, once everything in it is understood or without effect."""
    if (peft_type := config.get("peft_type") or "LORA") != "LORA":
        refuse(source, f"says {shown(peft_type)}, which is not LoRA; choose a LoRA or DoRA adapter")
    features = [name for name in REFUSED_FEATURES if config.get(name)]
    if (bias := config.get("bias") or "none") != "none":
        features.append(f"bias={shown(bias)}")
    init = config.get("init_lora_weights", True)
    if isinstance(init, str) and init.lower() not in HARMLESS_INITS:
        features.append(f"init_lora_weights={shown(init)}")
    if features:
        lost = f"turns on {', '.join(features)}, which would be lost here"
        refuse(source, f"{lost}; merge the adapter with PEFT, or train it without")
    return PeftSettings(
        source=source,
        rank=_number(config.get("r", 8), "r", source),
        alpha=_number(config.get("lora_alpha", 8), "lora_alpha", source),
        rank_pattern=Patterns(config, "rank_pattern", source),
        alpha_pattern=Patterns(config, "alpha_pattern", source),
        use_rslora=_switch(config, "use_rslora", source),
        use_dora=_switch(config, "use_dora", source),
        base_model=str(config.get("base_model_name_or_path") or ""),
    )


def _number(value: Any, name: str, source: str) -> float:
    """A finite number other than 0."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < abs(value) < 1e9:
        refuse(source, f"has {name} {shown(value)}; it must be a number other than 0")
    return value


def _switch(config: dict[str, Any], name: str, source: str) -> bool:
    value = config.get(name) or False
    if not isinstance(value, bool):
        refuse(source, f"has {name} {shown(value)}; it must be true or false")
    return value
