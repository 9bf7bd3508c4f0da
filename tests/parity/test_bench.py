"""The bench's path for a GPU, proved as far as it goes without one: shapes, bytes, devices, a bare machine."""

import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.utils._python_dispatch import TorchDispatchMode

from bench import carried, plan, scenes, setting, stand_ins, steps
from bench.table import Report
from dev_setup.hosts import Host
from dev_setup.versions import ROOT, TESTS
from support import small_models
from support.allocations import cost

BF16, CPU = torch.bfloat16, torch.device("cpu")
REAL_WEIGHTS = (
    37_977_952_416  # 19.0 billion numbers of two bytes: the transformer; text connectors are small ones
)
BARE = """
import sys
from pathlib import Path
from bench import stand_ins
tree, base, packages = map(Path, sys.argv[1:])
stand_ins.missing = list  # as if nothing of what is asked about were installed
stand_ins.put_in_place()
from support import in_process
in_process.import_host(tree, base)
in_process.import_pack()
import torch
from bench import setting, steps
import comfy_kitchen, einops
assert Path(einops.__file__).is_relative_to(packages), einops.__file__
model = setting.made_model(setting.QUICK, setting.CPU, torch.bfloat16, num_blocks=31)
run = steps.measure_steps(model, setting.QUICK, 1, setting.CPU)
assert run.exact.denoised[0].isfinite().all()
print("deviation", run.exact_deviation)
"""


class Created(TorchDispatchMode):
    """Bytes of the largest tensor that any operator gave back, by device and type."""

    def __init__(self) -> None:
        super().__init__()
        self.largest: dict[tuple[str, torch.dtype], int] = {}

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        result = func(*args, **(kwargs or {}))
        if isinstance(result, torch.Tensor):
            kind = (result.device.type, result.dtype)
            self.largest[kind] = max(self.largest.get(kind, 0), result.nbytes)
        return result


def test_the_real_shape_takes_38_gb_in_bfloat16():
    assert setting.weight_bytes(setting.REAL, BF16) == REAL_WEIGHTS
    assert setting.weight_bytes(setting.REAL_1024, BF16) == REAL_WEIGHTS
    width, audio = 4096, 2048
    video_layers = (4 + 4 + 8) * width**2  # self-attention, text attention, feed-forward
    audio_layers = (4 + 4 + 8) * audio**2
    between = 2 * (2 * width * audio + 2 * audio * audio)  # either way: two projections of each width
    assert 0.9 < 2 * 48 * (video_layers + audio_layers + between) / REAL_WEIGHTS < 1


@pytest.mark.parametrize(("name", "tokens"), [("REAL", 4096), ("REAL_1024", 16384)])
def test_the_real_clips(name, tokens):
    size = getattr(setting, name)
    video, audio = setting.made_clip(size).video_noise, setting.made_clip(size).audio_noise
    assert video[0, 0].numel() == tokens and audio.shape[2] == 126


def test_the_plan_for_a_gpu_is_the_real_model_in_bfloat16():
    planned = plan.planned("cuda", quick=False)
    assert [clip[1] for clip in planned.clips] == [setting.REAL, setting.REAL_1024]
    assert (planned.dtype, planned.memory_blocks, planned.clips[0][2]) == (BF16, 48, 30)
    assert plan.missing_memory(planned, 80 * 2**30) is None
    assert "needs 47 GiB on the card, 24 are free" in (plan.missing_memory(planned, 24 * 2**30) or "")


def test_it_is_made_on_the_device_in_bfloat16():
    """On a card that is not there: tensors know device, shape and type, and hold nothing."""
    created = Created()
    with FakeTensorMode(), created:
        model = setting.made_model(setting.REAL, torch.device("cuda"), BF16, num_blocks=2).model
        kinds = {(weight.device.type, weight.dtype) for weight in model.diffusion_model.parameters()}
    assert kinds == {("cuda", BF16)}
    assert created.largest["cuda", BF16] == 2 * 4096 * 9 * 4096, "one weight at a time: the modulation's"
    elsewhere = {kind: size for kind, size in created.largest.items() if kind != ("cuda", BF16)}
    assert all(size <= 4 * 2**20 for (device, _), size in elsewhere.items() if device != "meta"), elsewhere


def test_making_it_takes_little_more_than_its_weights():
    size = setting.Size(512, 8, 1, 2, 2, 4, 4, 32)
    took = cost(lambda: setting.made_model(size, CPU, BF16, num_blocks=4)).peak_bytes
    weights = setting.weight_bytes(size, BF16, num_blocks=4)
    assert weights < took < 1.3 * weights


def test_weights_are_those_of_the_small_models():
    """Drawn in the network's own type, on the CPU in float32 they are the values that all tests use."""
    model = setting.made_model(setting.QUICK, CPU, torch.float32, num_blocks=1).model.diffusion_model
    before = torch.get_rng_state()
    for name, weight in model.named_parameters():
        assert torch.equal(weight, small_models.values(small_models.TRANSFORMER + name, weight.shape)), name
    setting.made_model(setting.QUICK, CPU, torch.float32, num_blocks=1)
    assert torch.equal(before, torch.get_rng_state())


@pytest.mark.parametrize("dtype", [BF16, torch.float32])
def test_the_ways_run_side_by_side(dtype):
    model = setting.made_model(setting.QUICK, CPU, dtype, num_blocks=31)
    run = steps.measure_steps(model, setting.QUICK, 2, CPU)
    assert run.exact_deviation < {BF16: 0.05, torch.float32: 1e-5}[dtype]
    kinds = steps.fast_steps(30)
    assert kinds[steps.EVERYTHING][0] == 0 and sum(map(len, kinds.values())) == 30
    assert (
        run.fast_deviations[0] < 1e-6 < run.fast_deviations[1]
        and len(run.fast_ends(setting.made_clip(setting.QUICK))) == 2
    )
    assert all(set(way.seconds) == {0, 1} for way in (run.exact, run.peers, run.fast, run.plain))


def test_scenes_are_measured_beside_one_voice():
    model = setting.made_model(setting.QUICK, CPU, torch.float32, num_blocks=31)
    report = Report()
    scenes.measure_scenes(model, "quick", setting.QUICK, 2, CPU, report)
    few = setting.made_model(setting.QUICK, CPU, torch.float32, num_blocks=2)
    scenes.measure_scene_memory(few, setting.QUICK, 1, CPU, report)
    kinds = ("exact", "fast", "memory")
    assert report.figures.keys() == {f"speakers_{count}_{kind}" for count in (2, 4) for kind in kinds}
    assert len(report.rows) == 7 and all(row["value"] > 0 for row in report.rows)


def test_every_speaker_of_the_bench_has_a_turn_and_a_line():
    clip = setting.made_clip(setting.FULL)
    for count in scenes.SPEAKERS:
        scene = scenes.scene_of(clip, count)
        (text, values), *_ = scenes.with_lines(clip, count)[0]
        assert scene.speaking == scene.listeners == [*range(count)] and len(values["idlora_lines"]) == count
        assert values["idlora_lines"][-1][1] <= text.shape[1]


def test_a_machine_with_pytorch_and_what_is_carried_is_enough(comfy_tree, tmp_path):
    host = Host(comfy_tree, Path(sys.executable), is_ours=True)
    assert carried.write(host, tmp_path / "carried") == 0
    packages, base = tmp_path / "carried" / "packages", tmp_path / "base"
    base.mkdir()
    command = [sys.executable, "-c", BARE, tmp_path / "carried" / "ComfyUI", base, packages]
    path = f"{packages}:{TESTS}:{ROOT}"
    done = subprocess.run(
        command, env={"PYTHONPATH": path, "OMP_NUM_THREADS": "1"}, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("deviation ")


def test_what_is_missing_is_named(comfy_tree, tmp_path):
    program = "import sys; sys.modules['einops'] = None; import runpy; runpy.run_module('bench', run_name='__main__')"
    command = [sys.executable, "-c", program, "--tree", comfy_tree, "--device", "cuda"]
    done = subprocess.run(command, env={"PYTHONPATH": f"{TESTS}:{ROOT}"}, capture_output=True, text=True)
    assert done.returncode == 1
    assert "lacks einops; nothing was measured" in done.stderr


def test_without_a_gpu_it_says_so(comfy_tree):
    command = [sys.executable, "-m", "bench", "--tree", comfy_tree, "--device", "cuda"]
    environment = {"PYTHONPATH": f"{TESTS}:{ROOT}", "CUDA_VISIBLE_DEVICES": ""}
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert done.returncode == 1
    assert "PyTorch sees no CUDA device here; nothing was measured" in done.stderr


def test_a_stand_in_may_be_named_but_not_called():
    finder = stand_ins._Finder(["not_a_package"])
    module = finder.create_module(finder.find_spec("not_a_package.inner"))

    class Derived(module.Thing):  # type: ignore[misc]
        pass

    assert Derived() and module.Thing.part.deeper
    with pytest.raises(ImportError, match="not_a_package.inner.* is not installed here"):
        module.Thing()
