"""Moonshine tiny, as its npm package ships it (int8 ONNX), as a folder that transformers loads.

    python dev_setup/moonshine.py FOLDER_WITH_ONNX OUT

The weights are dequantised and named after the graph's nodes, which bear the names of the modules they come from.
"""

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy
import onnx
import torch
from onnx import numpy_helper
from transformers import MoonshineConfig, MoonshineForConditionalGeneration

NORM_OR_BIAS = re.compile(r"(layernorm\.weight|layer_norm\.weight|norm\.weight|bias)(_merged_0)?$")
RENAMED = (("attn.dense", "attn.o_proj"), ("mlp.up_proj", "mlp.fc1"), ("mlp.down_proj", "mlp.fc2"))
GROUP_NORM = {"weight": "onnx::Mul_1488", "bias": "onnx::Add_1489"}
SIZES = {
    "hidden_size": 288,
    "intermediate_size": 1152,
    "encoder_num_hidden_layers": 6,
    "decoder_num_hidden_layers": 6,
    "encoder_num_attention_heads": 8,
    "decoder_num_attention_heads": 8,
    "pad_head_dim_to_multiple_of": None,
}
Weights = dict[str, numpy.ndarray]


def nodes_of(graph: Any, constants: dict[str, Any]) -> Iterator[tuple[Any, dict[str, Any]]]:
    """Nodes of a graph and of those inside it, with the constants that each can see."""
    constants = {**constants, **{entry.name: entry for entry in graph.initializer}}
    for node in graph.node:
        yield node, constants
        for attribute in node.attribute:
            if attribute.type == onnx.AttributeProto.GRAPH:
                yield from nodes_of(attribute.g, constants)


def dequantised(constants: dict[str, Any], name: str) -> numpy.ndarray:
    base = name.removesuffix("_quantized")
    parts = (name, f"{base}_scale", f"{base}_zero_point")
    weight, scale, zero = (numpy_helper.to_array(constants[key]).astype(numpy.float32) for key in parts)
    return (weight - zero) * scale


def weights_of(file: Path, prefix: str) -> Weights:
    found: Weights = {}
    for node, constants in nodes_of(onnx.load(file).graph, {}):
        for name in node.input:
            if name in constants and NORM_OR_BIAS.search(name):
                key = name.removesuffix("_merged_0")
                key = key if key.startswith("model.") else prefix + key
                found[key] = numpy_helper.to_array(constants[name])
        if node.op_type == "MatMulInteger" and node.input[1] in constants:
            path = node.name.strip("/").replace("_quant", "").rsplit("/", 1)[0].replace("/", ".")
            key = path if path.startswith(("model.", "proj")) else prefix + path
            found.setdefault(f"{key}.weight", dequantised(constants, node.input[1]).T)
        if node.op_type == "Gather" and node.input[0] in constants and "embed_tokens" in node.input[0]:
            found["model.decoder.embed_tokens.weight"] = dequantised(constants, node.input[0])
    return found


def first_layers(file: Path) -> Weights:
    """The encoder's convolutions, whose graph adds the zero point after scaling, and its first norm, without a name."""
    constants = {entry.name: numpy_helper.to_array(entry) for entry in onnx.load(file).graph.initializer}
    found: Weights = {}
    for layer in ("conv1", "conv2", "conv3"):
        parts = (f"{layer}.weight_{part}" for part in ("quantized", "scale", "zero_point"))
        quantised, scale, zero = (constants[part].astype(numpy.float32) for part in parts)
        found[f"model.encoder.{layer}.weight"] = quantised * scale + zero
    for part, name in GROUP_NORM.items():
        found[f"model.encoder.groupnorm.{part}"] = constants[name].reshape(-1)
    return found


def renamed(key: str) -> str:
    for old, new in RENAMED:
        key = key.replace(old, new)
    return key


def main(folder: Path, out: Path) -> None:
    encoder = folder / "encoder_model.onnx"
    found = {**weights_of(encoder, "model.encoder."), **weights_of(folder / "decoder_model_merged.onnx", "")}
    found |= first_layers(encoder)
    model = MoonshineForConditionalGeneration(MoonshineConfig(**SIZES))
    state = {renamed(key): torch.tensor(value.astype(numpy.float32)) for key, value in found.items()}
    missing, unexpected = model.load_state_dict(state, strict=False)
    if unexpected or set(missing) - {"proj_out.weight"}:  # tied to the embedding
        raise SystemExit(f"missing {sorted(missing)}, unexpected {sorted(unexpected)}")
    model.tie_weights()
    model.save_pretrained(out)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
