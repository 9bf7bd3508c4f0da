"""Which text tokens are whose line: counted by the text encoder's own tokeniser, carried along with the conditioning."""

import itertools
from collections.abc import Sequence
from typing import Any

from ...idlora_core.prompt import ScenePrompt
from ...idlora_core.turns import Turn

LINES = "idlora_lines"
"""Key of a conditioning: [start, end) of each line's tokens."""
TURNS = "idlora_turns"
"""Key of a conditioning: the turns of its script, by which it is told from another's."""

Range = tuple[int, int]
PAD = 0


def encoded_prompt(clip: Any, prompt: ScenePrompt, turns: tuple[Turn, ...], routes_words: bool) -> list:
    """CONDITIONING of a prompt, as CLIPTextEncode makes it; with the ranges of its lines where words are routed."""
    conditioning = clip.encode_from_tokens_scheduled(clip.tokenize(prompt.text))
    if not routes_words or not prompt.lines:
        return conditioning
    ranges = line_tokens(clip, prompt)
    return [[entry[0], {**entry[1], LINES: ranges, TURNS: turns}] for entry in conditioning]


def line_tokens(clip: Any, prompt: ScenePrompt) -> tuple[Range, ...]:
    """[start, end) of each line among the prompt's tokens, which stand first in what the model attends to.

    A line's tokens are those that the text up to its start does not have, and the text up to its end has.
    """
    whole = _tokens(clip, prompt.text)

    def count(end: int) -> int:
        # The space before a word is in the word's token.
        pairs = zip(whole, _tokens(clip, prompt.text[:end].rstrip()), strict=False)
        return sum(1 for _ in itertools.takewhile(lambda pair: pair[0] == pair[1], pairs))

    return tuple((count(start), count(end)) for start, end in prompt.lines)


def _tokens(clip: Any, text: str) -> Sequence[Any]:
    """Token ids without the padding, which stands on the left."""
    batches = next(iter(clip.tokenize(text).values()))
    return list(itertools.dropwhile(lambda token: token == PAD, (pair[0] for pair in batches[0])))
