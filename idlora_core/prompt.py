"""The prompt form that ID-LoRA was trained on."""


def format_prompt(visual: str, speech: str, sounds: str) -> str:
    """The three-tag prompt: `[VISUAL]: .. [SPEECH]: .. [SOUNDS]: ..`.

    Args:
        visual: what is seen. speech: the words that are spoken. sounds: acoustics and background.
            Line breaks and doubled spaces become single spaces; an empty part is left out with its tag.

    Raises:
        ValueError: all three are empty.

    Source:
        The authors' prompts (examples/*/args.json of their repository).
    """
    parts = {"VISUAL": visual, "SPEECH": speech, "SOUNDS": sounds}
    texts = {tag: " ".join(text.split()) for tag, text in parts.items()}
    if not any(texts.values()):
        raise ValueError("The prompt is empty. Say at least what is seen, or what is spoken.")
    return " ".join(f"[{tag}]: {text}" for tag, text in texts.items() if text)
