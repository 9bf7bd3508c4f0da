"""PEFT's settings of an adapter: what its weights are multiplied by when they are merged.

    scale = alpha / r           use_rslora: alpha / sqrt(r)
    alpha = alpha_pattern's entry for the module, else lora_alpha; r likewise from rank_pattern, else r

They stand in `adapter_config.json` beside a PEFT adapter, or in the metadata of a file that diffusers saved.
What would change the merged weights in a way that is not computed here is refused by name.

Source: the package peft, 0.21 (`LoraConfig`, `get_pattern_key`, `LoraLayer.update_layer`).
"""

import json
import math
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from .safetensors_header import Header, shown

CONFIG_NAME = "adapter_config.json"
MAX_CONFIG_BYTES = 4_000_000
DIFFUSERS_METADATA_KEY = "lora_adapter_metadata"
DIFFUSERS_METADATA_PREFIX = "transformer."

DEFAULT_RANK = 8
DEFAULT_ALPHA = 8

REFUSED_FEATURES = (
    "alora_invocation_tokens",
    "arrow_config",
    "kasa_config",
    "layer_replication",
    "lora_bias",
    "megatron_config",
    "modules_to_save",
    "monteclora_config",
    "target_parameters",
    "trainable_token_indices",
    "use_bdlora",
    "use_qalora",
)
"""Settings that, when on, do more to the model than LoRA, RsLoRA and DoRA do."""

HARMLESS_INITS = ("gaussian", "eva", "orthogonal", "mica")
"""Ways to start a training that leave the base weights alone; the others (PiSSA, OLoRA, ...) change them."""

Patterns = tuple[tuple[re.Pattern[str], float], ...]


@dataclass(frozen=True)
class PeftSettings:
    """The settings that decide the scale of each target.

    Attributes:
        source: where they were read, for messages.
        rank, alpha: `r` and `lora_alpha`.
        rank_pattern, alpha_pattern: expressions on the whole module name; the first that matches wins.
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
        return _first_match(self.rank_pattern, module, self.rank)

    def alpha_of(self, module: str) -> float:
        """The alpha whose quotient by r is the module's scale, RsLoRA's square root worked in."""
        alpha = _first_match(self.alpha_pattern, module, self.alpha)
        return alpha * math.sqrt(self.rank_of(module)) if self.use_rslora else alpha


def _first_match(patterns: Patterns, module: str, default: float) -> float:
    return next((value for pattern, value in patterns if pattern.match(module)), default)


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
        raise ValueError(f"{source} cannot be read ({shown(error.strerror)}).") from error
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
    config = _json_object(text.encode("utf-8", "replace"), source)
    return _settings({key.removeprefix(DIFFUSERS_METADATA_PREFIX): config[key] for key in config}, source)


def _refuse(sentence: str) -> NoReturn:
    raise ValueError(sentence)


def _json_object(text: bytes, source: str) -> dict[str, Any]:
    try:
        config = json.loads(text.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise ValueError(
            f"{source} is no JSON ({shown(error)}); get the one that was saved with it."
        ) from error
    if not isinstance(config, dict):
        _refuse(f"{source} is no JSON object; get the one that was saved with it.")
    return config


def _settings(config: dict[str, Any], source: str) -> PeftSettings:
    """The settings in a config, once everything in it is understood or without effect."""
    peft_type = config.get("peft_type") or "LORA"
    if peft_type != "LORA":
        raise ValueError(
            f"{source} says {shown(peft_type)}, which is not LoRA; choose a LoRA or DoRA adapter."
        )
    features = [name for name in REFUSED_FEATURES if config.get(name)]
    bias = config.get("bias") or "none"
    features += [f"bias={shown(bias)}"] if bias != "none" else []
    init = config.get("init_lora_weights", True)
    if isinstance(init, str) and init.lower() not in HARMLESS_INITS:
        features.append(f"init_lora_weights={shown(init)}")
    if features:
        _refuse(
            f"{source} turns on {', '.join(features)}, which would be lost here;"
            " merge the adapter with PEFT, or train it without."
        )
    return PeftSettings(
        source=source,
        rank=_number(config.get("r", DEFAULT_RANK), "r", source),
        alpha=_number(config.get("lora_alpha", DEFAULT_ALPHA), "lora_alpha", source),
        rank_pattern=_patterns(config, "rank_pattern", source),
        alpha_pattern=_patterns(config, "alpha_pattern", source),
        use_rslora=_switch(config, "use_rslora", source),
        use_dora=_switch(config, "use_dora", source),
        base_model=str(config.get("base_model_name_or_path") or ""),
    )


def _number(value: Any, name: str, source: str) -> float:
    """A finite number other than 0."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < abs(value) < 1e9:
        _refuse(f"{source}: {name} is {shown(value)}; it must be a number other than 0.")
    return value


def _switch(config: dict[str, Any], name: str, source: str) -> bool:
    value = config.get(name) or False
    if not isinstance(value, bool):
        _refuse(f"{source}: {name} is {shown(value)}; it must be true or false.")
    return value


def _patterns(config: dict[str, Any], name: str, source: str) -> Patterns:
    """PEFT's rule: a pattern matches the whole name, or its end after a dot."""
    patterns = config.get(name) or {}
    if not isinstance(patterns, dict):
        _refuse(f"{source}: {name} is {shown(patterns)}; it must map module names to numbers.")
    try:
        compiled = [(re.compile(rf"(.*\.)?({pattern})$"), value) for pattern, value in patterns.items()]
    except (re.error, RecursionError, OverflowError) as error:
        raise ValueError(f"{source}: {name} holds no regular expression ({shown(error)}).") from error
    return tuple((pattern, _number(value, name, source)) for pattern, value in compiled)
