"""The text of a widget that names transformer blocks."""

MAX_TEXT = 200


def parse_stg_block_indices(text: str, num_blocks: int) -> tuple[int, ...]:
    """Transformer blocks that STG perturbs, from text such as "29" or "14, 19".

    Args:
        text: block indices counted from 0, separated by commas or spaces, at most 200 characters.
        num_blocks: blocks of the model (48 in LTX-2 and LTX-2.3).

    Returns:
        Sorted indices without repetition, at least one.

    Raises:
        ValueError: too long, no index, not a whole number, or no such block.
    """
    if len(text) > MAX_TEXT:
        raise ValueError(
            f"stg_block_indices holds {len(text)} characters, more than {MAX_TEXT}; write block numbers such as 29 or 14, 19."
        )
    words = text.replace(",", " ").split()
    if not words or not all(word.isdecimal() for word in words):
        raise ValueError(
            f"STG block indices are '{text}'; write whole numbers such as 29 or 14, 19,"
            " or set stg_scale to 0 to do without STG."
        )
    indices = sorted({int(word) for word in words})
    if indices[-1] >= num_blocks:
        raise ValueError(
            f"STG block {indices[-1]} does not exist: this model has {num_blocks} blocks,"
            f" 0 to {num_blocks - 1}. The paper uses 29 of 48."
        )
    return tuple(indices)
