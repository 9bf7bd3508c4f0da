"""Load ID-LoRA on real models of the host, and inside a running host."""

import importlib
import json
import os
import time

import pytest
import torch
from safetensors.torch import load_file, save_file

from bed import in_process
from bed.host_client import ExecutionFailed
from idlora_core.families import LTX_2

CHECKPOINT, LORA = "small_ltx23.safetensors", "small_id_lora.safetensors"
LTX20_CHECKPOINT = "small_ltx20.safetensors"
LORA_OF_48_BLOCKS = "ltx-2.3-id-lora-talkvid-3k.safetensors"


@pytest.fixture(scope="module")
def loader(comfy_tree, small_models, tmp_path_factory):
    """The host adapter of the node, in this process."""
    in_process.import_host(comfy_tree, tmp_path_factory.mktemp("in_process"), small_models)
    # As main.py does: older hosts put comfy/ on sys.path in nodes.py, and its utils.py would hide this package.
    importlib.import_module("utils.install_util")
    in_process.import_pack()
    from idlora_pack.nodes.host import lora

    return lora


@pytest.fixture(autouse=True)
def _as_in_a_run():
    """The host runs nodes without autograd; its fp8 rounding needs that."""
    with torch.inference_mode():
        yield


@pytest.fixture(scope="module")
def checkpoint(loader):
    """MODELs of the small checkpoints, by file name; each is loaded once."""
    import nodes

    loaded = {}

    def load(name):
        if name not in loaded:
            loaded[name] = nodes.CheckpointLoaderSimple().load_checkpoint(name)[0]
        return loaded[name]

    return load


@pytest.fixture
def own_loras(loader, tmp_path, monkeypatch):
    """A folder of LoRAs for this test alone."""
    import folder_paths

    monkeypatch.setitem(
        folder_paths.folder_names_and_paths, "loras", ([str(tmp_path)], {".safetensors", ".pt"})
    )
    return tmp_path


def load(loader, model, name, strength):
    """What Load ID-LoRA does: the patched model, and how the file fits."""
    fit = loader.fit_lora(model, name)
    return loader.apply_lora(model, fit, strength), fit


def weights(model):
    """The weights that the host would compute with."""
    import comfy.model_management

    comfy.model_management.load_models_gpu([model], force_full_load=True)
    return {key: tensor.clone() for key, tensor in model.model.state_dict().items()}


def host_loaded(model, name, strength):
    """What the host's own LoRA node gives."""
    import nodes

    (patched,) = nodes.LoraLoaderModelOnly().load_lora_model_only(model, name, strength)
    assert patched is not None
    return patched


def assert_equal_weights(ours, theirs):
    assert ours.keys() == theirs.keys()
    assert [key for key in ours if not torch.equal(ours[key], theirs[key])] == []


# The same as the host's own loader, on a clone


@pytest.mark.parametrize("strength", [1.0, 0.6, -1.0])
def test_an_official_file_gives_the_weights_of_the_hosts_own_loader(loader, checkpoint, strength):
    model = checkpoint(CHECKPOINT)
    ours, fit = load(loader, model, LORA, strength)
    theirs = host_loaded(model, LORA, strength)
    assert ours.patches.keys() == theirs.patches.keys()
    assert len(ours.patches) == len(fit.matched) == 72
    for key in ours.patches:
        (ours_patch,), (theirs_patch,) = ours.patches[key], theirs.patches[key]
        assert type(ours_patch[1]) is type(theirs_patch[1])
        assert ours_patch[0] == theirs_patch[0]
        assert ours_patch[2:] == theirs_patch[2:]
    assert_equal_weights(weights(ours), weights(theirs))


def test_the_model_that_came_in_stays_as_it_was(loader, checkpoint):
    model = checkpoint(CHECKPOINT)
    before = weights(model)
    patched, _ = load(loader, model, LORA, 1.0)
    with_lora = weights(patched)
    changed = {key for key in before if not torch.equal(before[key], with_lora[key])}
    assert changed == patched.patches.keys()
    assert not model.patches
    assert_equal_weights(weights(model), before)


def test_two_files_add_up_as_with_the_hosts_own_loader(loader, checkpoint):
    first = host_loaded(checkpoint(CHECKPOINT), LORA, 0.5)
    ours, _ = load(loader, first, LORA, 0.25)
    assert_equal_weights(weights(ours), weights(host_loaded(first, LORA, 0.25)))


def test_strength_0_puts_nothing_on_the_model(loader, checkpoint):
    patched, _ = load(loader, checkpoint(CHECKPOINT), LORA, 0.0)
    assert not patched.patches


def test_the_lora_of_the_other_checkpoint_loads_on_it(loader, checkpoint):
    _, fit = load(loader, checkpoint(LTX20_CHECKPOINT), "small_id_lora_20.safetensors", 1.0)
    assert (len(fit.matched), fit.missing, fit.family) == (72, (), LTX_2)


def test_the_list_of_files_starts_with_one_that_is_named_as_an_id_lora(loader):
    assert "id-lora" in loader.lora_names()[0] and LORA in loader.lora_names()


# Models and adapters that are not plain


def cast_to_fp8(tensors, key):
    """A matrix in fp8, as in the older fp8 files."""
    tensors[key] = tensors[key].to(torch.float8_e4m3fn)


def scale_to_fp8(tensors, key):
    """A matrix in fp8 with its scale, as in the newer fp8 files."""
    scale = tensors[key].float().abs().max() / 448
    layer = key.removesuffix(".weight")
    tensors[key] = (tensors[key].float() / scale).to(torch.float8_e4m3fn)
    tensors[f"{layer}.weight_scale"] = scale
    tensors[f"{layer}.comfy_quant"] = torch.tensor(list(b'{"format": "float8_e4m3fn"}'), dtype=torch.uint8)


@pytest.mark.parametrize("use_dora", [False, True])
@pytest.mark.parametrize("to_fp8", [cast_to_fp8, scale_to_fp8])
def test_fp8_models_are_patched(loader, small_models, own_loras, to_fp8, use_dora):
    """As by the host's own loader; DoRA, which the host merges otherwise, to the trained length of the rows."""
    model = fp8_model(small_models / "checkpoints" / CHECKPOINT, to_fp8)
    weight = model.model.get_parameter("diffusion_model.transformer_blocks.0.audio_attn1.to_q.weight")
    assert quantised(weight) if to_fp8 is scale_to_fp8 else weight.dtype == torch.float8_e4m3fn
    before = numbers(model)
    lora = small_models / "loras" / LORA
    save_file(dora_file(lora, "dora_scale") if use_dora else load_file(lora), own_loras / "lora.safetensors")
    ours, fit = load(loader, model, "lora.safetensors", 1.0)
    patched = numbers(ours)
    assert len(fit.matched) == 72
    assert all(not torch.equal(patched[key], before[key]) for key in ours.patches)
    if use_dora:
        lengths = torch.cat([patched[key].norm(dim=1) for key in ours.patches])
        torch.testing.assert_close(lengths, torch.full_like(lengths, 1.5), rtol=0.1, atol=0)
    else:
        assert_equal_weights(patched, numbers(host_loaded(model, "lora.safetensors", 1.0)))


def fp8_model(checkpoint, to_fp8):
    import comfy.sd
    import comfy.utils

    tensors, metadata = comfy.utils.load_torch_file(str(checkpoint), return_metadata=True)
    for key in list(tensors):
        if ".transformer_blocks." in key and tensors[key].ndim == 2 and key.endswith(".weight"):
            to_fp8(tensors, key)
    options = {"dtype": torch.float8_e4m3fn} if to_fp8 is cast_to_fp8 else {}
    loaded = comfy.sd.load_state_dict_guess_config(
        tensors, output_vae=False, output_clip=False, model_options=options, metadata=metadata
    )
    assert loaded is not None and loaded[0] is not None
    return loaded[0]


def numbers(model):
    """The matrices of the blocks as the host computes with them, scales worked in."""
    import comfy.model_management

    comfy.model_management.load_models_gpu([model], force_full_load=True)
    matrices = {key: weight for key, weight in model.model.named_parameters() if weight.ndim == 2}
    return {
        key: (weight.dequantize() if quantised(weight) else weight).float()
        for key, weight in matrices.items()
    }


def quantised(weight):
    from comfy.quant_ops import QuantizedTensor

    return isinstance(weight, QuantizedTensor)


def dora_file(lora, magnitude_key, scale=1.5):
    """The small LoRA with a magnitude beside every pair, `scale` times the rows' length in the model."""
    tensors = load_file(lora)
    for key in [key for key in tensors if key.endswith("lora_B.weight")]:
        tensors[key.replace("lora_B.weight", magnitude_key)] = torch.full((tensors[key].shape[0],), scale)
    return tensors


@pytest.mark.parametrize(
    "magnitude_key", ["lora_magnitude_vector", "lora_magnitude_vector.weight", "dora_scale"]
)
def test_dora_gives_every_row_the_length_it_was_trained_to(
    loader, checkpoint, own_loras, small_models, magnitude_key
):
    save_file(dora_file(small_models / "loras" / LORA, magnitude_key), own_loras / "dora.safetensors")
    patched, fit = load(loader, checkpoint(CHECKPOINT), "dora.safetensors", 1.0)
    assert fit.lora.is_dora
    loaded = weights(patched)
    for key in patched.patches:
        lengths = loaded[key].float().norm(dim=1)
        torch.testing.assert_close(lengths, torch.full_like(lengths, 1.5), rtol=0.01, atol=0)


def test_the_host_can_copy_a_dora_patch_to_another_device(loader, checkpoint, own_loras, small_models):
    """Newer hosts prefetch patches: they rebuild each adapter from its two arguments."""
    save_file(dora_file(small_models / "loras" / LORA, "dora_scale"), own_loras / "dora.safetensors")
    patched, _ = load(loader, checkpoint(CHECKPOINT), "dora.safetensors", 1.0)
    adapter = next(iter(patched.patches.values()))[0][1]
    rebuilt = type(adapter)(adapter.loaded_keys, tuple(adapter.weights))
    weight = torch.randn(adapter.weights[0].shape[0], adapter.weights[1].shape[1])
    results = [
        each.calculate_weight(weight.clone(), "", 0.7, 1.0, None, lambda x: x) for each in (adapter, rebuilt)
    ]
    assert torch.equal(*results)


def test_shapes_are_asked_of_the_layers_not_of_packed_weights(loader, checkpoint):
    """GGUF and NVFP4 weights have shapes of their own."""
    model = checkpoint(CHECKPOINT).clone()
    layer = torch.nn.Linear(6, 4)
    from idlora_pack.nodes.host.variant import linear_shapes

    layer.weight = torch.nn.Parameter(torch.zeros(4, 3, dtype=torch.uint8), requires_grad=False)
    with in_place(model.model.diffusion_model, "probe", layer):
        assert linear_shapes(model)["probe"] == (4, 6)


class in_place:
    """A module under a name for the time of a `with`."""

    def __init__(self, parent, name, module):
        self.parent, self.name, self.module = parent, name, module

    def __enter__(self):
        self.parent.add_module(self.name, self.module)

    def __exit__(self, *_):
        delattr(self.parent, self.name)


# Refusals


def gated(tensors):
    """With a target that only LTX-2.3 has."""
    module = "diffusion_model.transformer_blocks.0.audio_attn1"
    down = tensors[f"{module}.to_q.lora_A.weight"]
    gate = {f"{module}.to_gate_logits.lora_A.weight": down.clone()}
    gate[f"{module}.to_gate_logits.lora_B.weight"] = torch.zeros(4, down.shape[0])
    return tensors | gate


def video_only(tensors):
    return {
        key.replace("audio_attn1", "attn1"): tensor for key, tensor in tensors.items() if "audio_attn1" in key
    }


def other_size(tensors):
    return {
        key: torch.cat((tensor, tensor), dim=1 if "lora_A" in key else 0) for key, tensor in tensors.items()
    }


REFUSALS = [
    (
        CHECKPOINT,
        "other-model.safetensors",
        lambda t: {f"x.{key}": t[key] for key in t},
        "matches nothing on this model",
    ),
    (CHECKPOINT, "video.safetensors", video_only, "has no audio-attention targets"),
    (CHECKPOINT, "large.safetensors", other_size, "is for a model of another size (72 targets differ"),
    (
        CHECKPOINT,
        "ltx-2-19b.safetensors",
        dict,
        "is for LTX-2 by its file name, and the model is LTX-2.3",
    ),
    (
        LTX20_CHECKPOINT,
        "gated.safetensors",
        gated,
        "is for LTX-2.3 by its shapes, and the model is LTX-2",
    ),
    (CHECKPOINT, "half.safetensors", lambda t: dict(list(t.items())[1:]), "has half a LoRA"),
    (CHECKPOINT, "pickle.pt", dict, "pickle files can run code"),
]


@pytest.mark.parametrize(("model", "name", "change", "words"), REFUSALS, ids=[row[1] for row in REFUSALS])
def test_refusals(loader, checkpoint, own_loras, small_models, model, name, change, words):
    tensors = change(load_file(small_models / "loras" / LORA))
    save_file(tensors, own_loras / name)
    model = checkpoint(model)
    start = time.perf_counter()
    with pytest.raises(ValueError) as refusal:
        load(loader, model, name, 1.0)
    assert time.perf_counter() - start < 1
    assert words in str(refusal.value)
    assert name in str(refusal.value)


def test_absurd_strength_and_absent_files_are_refused(loader, checkpoint):
    with pytest.raises(ValueError, match="Strength is nan"):
        load(loader, checkpoint(CHECKPOINT), LORA, float("nan"))
    with pytest.raises(ValueError, match="There is no gone.safetensors in models/loras"):
        load(loader, checkpoint(CHECKPOINT), "gone.safetensors", 1.0)


@pytest.mark.parametrize("value", [float("nan"), float("-inf")])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float8_e5m2])
def test_weights_that_are_not_finite_are_refused_before_a_render(
    loader, checkpoint, own_loras, small_models, value, dtype
):
    tensors = {key: tensor.to(dtype) for key, tensor in load_file(small_models / "loras" / LORA).items()}
    key = sorted(tensors)[-1]
    tensors[key].view(-1)[3] = value
    save_file(tensors, own_loras / "damaged.safetensors")
    with pytest.raises(
        ValueError, match=f"damaged.safetensors has a weight that is not a finite number .{key}"
    ):
        load(loader, checkpoint(CHECKPOINT), "damaged.safetensors", 1.0)


def test_models_without_sound_are_refused(loader, checkpoint):
    class Video(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.diffusion_model = torch.nn.ModuleDict({"attn": torch.nn.Linear(2, 2)})

    model = checkpoint(CHECKPOINT).clone()
    model.model = Video()
    with pytest.raises(ValueError, match="is not an LTX-2 audio-video model"):
        load(loader, model, LORA, 1.0)


# The node


@pytest.fixture
def node(loader):
    from idlora_pack.nodes.load import LoadIDLoRA

    return LoadIDLoRA


def test_schema(node):
    schema = node.define_schema()
    assert schema.node_id == "LTXIDLoRA_Load"
    assert [socket.id for socket in schema.inputs] == ["model", "lora_name", "strength"]
    assert all(socket.tooltip for socket in (*schema.inputs, *schema.outputs))
    assert LORA in schema.inputs[1].options
    assert "voice clone" in schema.search_aliases


def test_a_changed_file_runs_the_node_again(node, own_loras, small_models):
    name = "adapter.safetensors"
    save_file(load_file(small_models / "loras" / LORA), own_loras / name)
    first = node.fingerprint_inputs(lora_name=name, strength=1.0)
    assert node.fingerprint_inputs(lora_name=name, strength=0.5) == first
    (own_loras / "adapter_config.json").write_text(json.dumps({"r": 4}))
    second = node.fingerprint_inputs(lora_name=name)
    os.utime(own_loras / name, ns=(1, 1))
    assert len({first, second, node.fingerprint_inputs(lora_name=name)}) == 3
    assert node.fingerprint_inputs(lora_name="gone.safetensors") == ""


def graph(lora_name):
    return {
        "1": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": CHECKPOINT}},
        "2": {
            "class_type": "LTXIDLoRA_Load",
            "inputs": {"model": ["1", 0], "lora_name": lora_name, "strength": 1.0},
        },
        "3": {"class_type": "PreviewAny", "inputs": {"source": ["2", 0]}},
    }


def test_a_running_host_loads_refuses_and_goes_on(host):
    host.run(graph(LORA))
    log = host.log_file.read_text(errors="replace")
    assert f"{LORA}: LoRA of 72 targets in 4 blocks" in log
    assert "all match the model (LTX-2.3). Model: LTX-2.3 dev or distilled" in log
    with pytest.raises(
        ExecutionFailed, match=r"LTXIDLoRA_Load.*is for another model \(this one has 72 of its 864 targets"
    ):
        host.run(graph(LORA_OF_48_BLOCKS))
    host.run(graph(LORA))
