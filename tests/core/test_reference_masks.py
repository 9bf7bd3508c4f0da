"""Masks of reference tokens equal attention with a dense mask."""

import pytest
import torch
from torch.nn.functional import scaled_dot_product_attention

from idlora_core.reference_masks import with_uniform_first_queries, without_first_keys

NUM_TOKENS = 3


@pytest.fixture
def qkv():
    generator = torch.Generator().manual_seed(0)
    return [torch.randn(2, length, 8, generator=generator) for length in (7, 9, 9)]


def test_hidden_keys_are_a_mask_of_minus_infinity(qkv):
    mask = torch.zeros(7, 9)
    mask[:, :NUM_TOKENS] = -torch.inf
    ours = without_first_keys(NUM_TOKENS, scaled_dot_product_attention, *qkv)
    torch.testing.assert_close(ours, scaled_dot_product_attention(*qkv, attn_mask=mask))


def test_uniform_queries_are_the_trainers_mask(qkv):
    mask = torch.zeros(7, 9)
    mask[:NUM_TOKENS] = torch.finfo(torch.bfloat16).min
    ours = with_uniform_first_queries(NUM_TOKENS, scaled_dot_product_attention, *qkv)
    torch.testing.assert_close(ours, scaled_dot_product_attention(*qkv, attn_mask=mask))
