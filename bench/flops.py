"""Matmul and attention FLOPs of the transformer blocks, counted from the sizes alone.

The floor of an `exact` step: what its five predictions cannot do without, whoever computes them.

    cond, uncond     all blocks
    no_reference     all blocks on the target's tokens; in the last one, video feeds nothing but the v2a attention
    perturbed        the blocks from the STG block on; in that one, self-attention needs values and output only
    uncoupled        all blocks without the two audio-video attentions

Text keys and values are counted for every prediction: sharing them between predictions would hold
48 x 1024 x (4096 + 2048) x 2 numbers, 1.2 GB in bfloat16, for 3 % of a pass.
"""

from dataclasses import dataclass

from .setting import NUM_BLOCKS, STG_BLOCK, Size

Flops = dict[str, float]


@dataclass(frozen=True)
class Tokens:
    video: int
    audio: int
    text: int


def block_flops(size: Size, tokens: Tokens) -> Flops:
    """FLOPs of the parts of one block."""
    video, audio = size.width, size.width // 2
    v, a, t = tokens.video, tokens.audio, tokens.text
    return {
        "video self": _attention(v, v, video, video, video, size.heads),
        "video text": _attention(v, t, video, video, video, size.heads),
        "audio self": _attention(a, a, audio, audio, audio, size.heads),
        "audio text": _attention(a, t, audio, audio, audio, size.heads),
        "audio to video": _attention(v, a, video, audio, audio, size.heads),
        "video to audio": _attention(a, v, audio, video, audio, size.heads),
        "video feed-forward": 2 * v * 8 * video**2,
        "audio feed-forward": 2 * a * 8 * audio**2,
    }


def _attention(queries: int, keys: int, query_width: int, key_width: int, inner: int, heads: int) -> float:
    """q, gate and output on the queries; k and v on the keys; the attention itself."""
    on_queries = 2 * queries * query_width * (2 * inner + heads)
    return on_queries + 2 * keys * key_width * 2 * inner + 4 * queries * keys * inner


def pass_flops(size: Size) -> float:
    """One unguided prediction."""
    return NUM_BLOCKS * sum(block_flops(size, _tokens(size)).values())


def exact_flops(size: Size) -> float:
    """The five predictions of an exact step."""
    return 2 * pass_flops(size) + _no_reference(size) + _perturbed(size) + _uncoupled(size)


def _no_reference(size: Size) -> float:
    block = block_flops(size, _tokens(size, with_reference=False))
    return NUM_BLOCKS * sum(block.values()) - block["video feed-forward"] - block["audio to video"]


def _perturbed(size: Size) -> float:
    tokens = _tokens(size)
    block = block_flops(size, tokens)
    values = [2 * n * (2 * width + size.heads) * width for n, width in _streams(size, tokens)]
    saved = block["video self"] + block["audio self"] - sum(values)
    return (NUM_BLOCKS - STG_BLOCK) * sum(block.values()) - saved


def _uncoupled(size: Size) -> float:
    block = block_flops(size, _tokens(size))
    coupling = block["audio to video"] + block["video to audio"]
    return NUM_BLOCKS * (sum(block.values()) - coupling)


def _streams(size: Size, tokens: Tokens) -> list[tuple[int, int]]:
    return [(tokens.video, size.width), (tokens.audio, size.width // 2)]


def _tokens(size: Size, with_reference: bool = True) -> Tokens:
    video = size.frames * size.height * size.width_latents
    return Tokens(video, size.audio + size.reference * with_reference, size.text)
