"""PEFT's rank and alpha patterns: matched as PEFT matches them, and never run as regular expressions."""

import json
import time

import pytest
from peft.utils.other import get_pattern_key

from bed.made_loras import RANK, id_lora, pair
from bed.sentences import assert_one_sentence
from idlora_core.lora.files import read_lora
from idlora_core.lora.peft import Patterns

MODULES = [
    f"{prefix}transformer_blocks.{block}.{part}"
    for prefix in ("", "model.", "velocity_model.")
    for block in (0, 1, 10, 11)
    for part in (
        "audio_attn1.to_k",
        "audio_attn1.to_out.0",
        "attn1.to_k",
        "audio_ff.net.0.proj",
        "audio_ff.net.2",
    )
]
PATTERNS = [
    "to_k", "audio_attn1.to_k", "attn1.to_k", "o_k", "net.2", "0", "proj", "transformer_blocks.1.audio_attn1.to_k",
    r"transformer_blocks\.10\.audio_ff\.net\.2", "^transformer_blocks.0.attn1.to_k", "^to_k", r"^model\..*to_k",
    ".*", ".*to_k", r".*\.to_k", r"^.*attn1\.to_k$", "to_k$", "audio.*", "audio_.*to.*0", r".*blocks\.1.*",
    "blocks.*", r"transformer_blocks\.1\..*", ".*a.*a.*a.*a.*", r"audio_ff\.net.*\.proj",
]  # fmt: skip


@pytest.mark.parametrize("pattern", PATTERNS)
def test_a_pattern_fits_the_modules_that_it_fits_in_peft(pattern):
    ours = Patterns({"rank_pattern": {pattern: 7}}, "rank_pattern", "x")
    for module in MODULES:
        fits = get_pattern_key([pattern], module) == pattern  # else PEFT gives the module's name
        assert ours.value(module, 1) == (7 if fits else 1), module


def test_of_several_patterns_the_first_that_fits_is_taken_as_in_peft():
    patterns = {"audio_attn1.to_k": 3, ".*to_k": 5, "to_k": 7, "net.2": 9}
    ours = Patterns({"alpha_pattern": patterns}, "alpha_pattern", "x")
    for module in MODULES:
        assert ours.value(module, 1) == patterns.get(get_pattern_key(list(patterns), module), 1)


PEFT = {"prefix": "base_model.model."}
HOSTILE = {
    "repeat_in_a_repeat": {"([a-z0-9_]+[._]?)+!": 4},
    "repeats_in_a_row": {"a*a*a*a*a*a*a*a*a*a*a*a*!": 4},
    "character_class": {"audio_attn[12].to_q": 4},
    "bare_dot_beside_a_wildcard": {"transformer_blocks.1..*": 4},
    "many": {f"m{n}": 4 for n in range(1001)},
    "many_wildcards": {f"a.*b.*c{n}": 4 for n in range(200)},
    "long": {"a" * 301: 4},
}


@pytest.mark.parametrize("patterns", HOSTILE.values(), ids=HOSTILE)
@pytest.mark.parametrize("key", ["rank_pattern", "alpha_pattern"])
def test_patterns_that_are_more_than_names_are_refused_at_once(save, patterns, key):
    path = save(id_lora(**PEFT), config={"r": RANK, key: patterns})
    start = time.process_time()
    with pytest.raises(ValueError) as refusal:
        read_lora(path)
    assert time.process_time() - start < 1
    assert_one_sentence(str(refusal.value), "merge it with PEFT", path.name)


def test_patterns_in_a_files_own_metadata_are_refused_as_well(save):
    settings = {"r": RANK, "lora_alpha": RANK, "rank_pattern": {"([a-z0-9_]+[._]?)+!": 4}}
    metadata = {"lora_adapter_metadata": json.dumps(settings)}
    with pytest.raises(ValueError, match="only names and"):
        read_lora(save(id_lora(prefix="transformer."), metadata=metadata))


def test_the_most_patterns_and_targets_that_are_accepted_take_less_than_a_second(save):
    names = [f"transformer_blocks.{n}.{'x' * 200}.a.a.a.a.a.a" for n in range(5000)]
    tensors = {}
    for name in names:
        tensors |= pair(name, (1, 1), "base_model.model.", rank=1)
    patterns = {"a" + "a" * n: 1 for n in range(200)} | {f"{'.*a' * 9}{n}": 1 for n in range(10)}
    patterns |= {f"{'y' * 290}{n}": 1 for n in range(790)}
    path = save(
        tensors, config={"r": 1, "rank_pattern": patterns, "alpha_pattern": patterns, "use_rslora": True}
    )
    start = time.process_time()
    assert len(read_lora(path).targets) == 5000
    assert time.process_time() - start < 1
