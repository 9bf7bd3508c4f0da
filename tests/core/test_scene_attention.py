"""A split attention call equals a dense mask of minus infinity."""

import pytest
import torch
from torch.nn.functional import scaled_dot_product_attention

from idlora_core.scene_attention import gated, in_parts, split_of
from idlora_core.scene_masks import Part, dense_mask

CPU = torch.device("cpu")
PARTS = [
    Part(torch.tensor([0, 1]), torch.tensor([0, 1, 4])),
    Part(torch.tensor([2, 5]), torch.tensor([2, 3, 4, 5])),
    Part(torch.tensor([3, 4]), None),
]


def tokens(count=6, seed=0):
    return torch.randn(2, count, 8, generator=torch.Generator().manual_seed(seed))


def attend(q, k, v, heads=2, mask=None):
    def split(x):
        return x.view(x.shape[0], -1, heads, 4).transpose(1, 2)

    return scaled_dot_product_attention(split(q), split(k), split(v), mask).transpose(1, 2).flatten(2)


def test_parts_equal_a_dense_mask():
    q, k, v = (tokens(seed=seed) for seed in range(3))
    dense = attend(q, k, v, mask=torch.where(dense_mask(PARTS, 6), 0.0, -torch.inf))
    torch.testing.assert_close(in_parts(split_of(PARTS, 6, CPU), attend, q, k, v, 2), dense)


@pytest.mark.parametrize("shape", [(6, 6), (1, 6), (2, 1, 1, 6), (2, 1, 6, 6)])
def test_a_mask_of_the_callers_is_kept(shape):
    q, k, v = (tokens(seed=seed) for seed in range(3))
    mask = torch.randn(shape, generator=torch.Generator().manual_seed(9))
    both = mask.expand(*shape[:-2], 6, 6) + torch.where(dense_mask(PARTS, 6), 0.0, -torch.inf)
    out = in_parts(split_of(PARTS, 6, CPU), attend, q, k, v, 2, mask=mask)
    torch.testing.assert_close(out, attend(q, k, v, mask=both))


def test_no_mask_is_handed_on():
    def spy(q, k, v, **kwargs):
        assert not kwargs
        return attend(q, k, v)

    in_parts(split_of(PARTS, 6, CPU), spy, tokens(), tokens(), tokens())


def test_parts_that_see_everything_are_one_call_on_the_same_tensors():
    q, k, v = tokens(), tokens(), tokens()
    whole = split_of([Part(torch.tensor([1, 0]), torch.arange(6)), Part(torch.arange(2, 6), None)], 6, CPU)
    seen = []

    def spy(*args):
        seen.append(args)
        return q

    in_parts(whole, spy, q, k, v)
    assert len(seen) == 1 and all(a is b for a, b in zip(seen[0], (q, k, v), strict=True))


def test_a_gate_multiplies_token_by_token():
    q, k, v = (tokens(seed=seed) for seed in range(3))
    gate = torch.tensor([1.0, 0, 0.5, 1, 1, 0])
    assert torch.equal(gated(gate, attend, q, k, v), attend(q, k, v) * gate[:, None])


def test_another_number_of_tokens_is_said():
    with pytest.raises(RuntimeError, match="laid out for 6 tokens that attend to 6; the model has 5 and 6"):
        in_parts(split_of(PARTS, 6, CPU), attend, tokens(5), tokens(), tokens())
    with pytest.raises(RuntimeError, match="Another node changes the tokens"):
        gated(torch.ones(4), attend, tokens(), tokens(), tokens())
