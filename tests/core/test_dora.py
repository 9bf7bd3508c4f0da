"""DoRA weights by their definition."""

import pytest
import torch
from torch.nn.functional import normalize

from idlora_core.lora.dora import dora_weight


@pytest.mark.parametrize("magnitude_shape", [(3,), (3, 1), (1, 5)])
def test_dora_gives_rows_or_columns_the_norm_of_the_magnitude(magnitude_shape):
    weight, delta, magnitude = torch.randn(3, 5), torch.randn(3, 5), torch.rand(magnitude_shape)
    merged = dora_weight(weight, delta, magnitude)
    dim = 0 if magnitude_shape == (1, 5) else 1
    torch.testing.assert_close(merged.norm(dim=dim), magnitude.flatten())
    torch.testing.assert_close(normalize(merged, dim=dim), normalize(weight + delta, dim=dim))


def test_dora_strength_goes_from_the_weight_to_the_trained_one():
    weight, delta, magnitude = torch.randn(3, 5), torch.randn(3, 5), torch.rand(3)
    trained = dora_weight(weight, delta, magnitude)
    assert torch.equal(dora_weight(weight, delta, magnitude, 0.0), weight)
    torch.testing.assert_close(dora_weight(weight, delta, magnitude, 0.5), (weight + trained) / 2)


def test_dora_leaves_inputs_alone_and_survives_empty_rows():
    weight, delta, magnitude = torch.randn(3, 5), torch.randn(3, 5), torch.rand(3)
    weight[1], delta[1] = 0, 0
    copies = [tensor.clone() for tensor in (weight, delta, magnitude)]
    merged = dora_weight(weight, delta, magnitude)
    assert all(map(torch.equal, (weight, delta, magnitude), copies))
    assert torch.equal(merged[1], torch.zeros(5))
    assert merged.isfinite().all()
