"""The prompt form that ID-LoRA was trained on, and its extension to several speakers."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from .script import Line

QUOTES = re.compile('["“”]')


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


@dataclass(frozen=True)
class ScenePrompt:
    """The prompt of a scene.

    Attributes:
        text: for the text encoder.
        lines: [start, end) in characters of each line's words and of what introduces them.
    """

    text: str
    lines: tuple[tuple[int, int], ...]


def scene_prompt(
    visual: str,
    lines: Sequence[Line],
    speakers: Sequence[Sequence[str]],
    looks: Mapping[str, str],
    sounds: str,
) -> ScenePrompt:
    """The three-tag prompt of a script.

        [VISUAL]: .. Anna is the woman on the left. [SPEECH]: Anna says: "Did you hear that?" Ben says, whispering: "Hear
        what?" [SOUNDS]: ..

    A script of one name has the bare words, as ID-LoRA was trained: the prompt of `format_prompt`.

    Args:
        visual, sounds: as in `format_prompt`.
        lines: of the script.
        speakers: names of those who say each line, as they are to be read.
        looks: by name, who that is in the picture: "the woman on the left"; empty texts are left out.

    Raises:
        ValueError: as `format_prompt`.
    """
    if len({name for names in speakers for name in names}) == 1:
        return _monologue(visual, lines, sounds)
    shown = [f"{name} is {_sentence(look)}" for name, look in looks.items() if look.strip()]
    said = [_said(line, names) for line, names in zip(lines, speakers, strict=True)]
    visual = " ".join([visual, *shown])
    text = format_prompt(visual, " ".join(said), sounds)
    # From the end: a line may also stand in what is seen.
    after = f" [SOUNDS]: {' '.join(sounds.split())}" if sounds.strip() else ""
    start = len(text) - len(after) - len(" ".join(said))
    spans = []
    for clause in said:
        spans.append((start, start + len(clause)))
        start += len(clause) + 1
    return ScenePrompt(text, tuple(spans))


def _monologue(visual: str, lines: Sequence[Line], sounds: str) -> ScenePrompt:
    """Today's prompt; how a line is said stands in brackets, which do not count as words."""
    words = (f"({line.manner}) {line.words}" if line.manner else line.words for line in lines)
    return ScenePrompt(format_prompt(visual, " ".join(words), sounds), ())


def _said(line: Line, names: Sequence[str]) -> str:
    """Ben says, whispering: "Hear what?" """
    verb = "say" if len(names) > 1 else "says"
    manner = f", {line.manner}" if line.manner else ""
    words = QUOTES.sub("'", line.words)
    return f'{" and ".join(names)} {verb}{manner}: "{words}"'


def _sentence(text: str) -> str:
    """Single spaces, and a full stop at the end."""
    text = " ".join(text.split())
    return text if text[-1] in ".!?" else f"{text}."
