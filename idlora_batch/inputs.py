"""What a node's inputs take, from the host's own schemas (`/object_info`), and cells turned into such values."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from .table import Cell

Schemas = dict[str, dict[str, Any]]  # node class -> its entry in /object_info
DYNAMIC_COMBO = "COMFY_DYNAMICCOMBO_V3"
UPLOADS = ("image_upload", "audio_upload", "video_upload", "file_upload")
TRUE, FALSE = ("true", "yes", "on", "1"), ("false", "no", "off", "0")
OPTIONS_NAMED = 12


@dataclass(frozen=True)
class Spec:
    """One input: its type, the options of a list, and what else the schema says.

    needs: (input, option): it is there only where a list of options, as a preset, has this option.
    """

    type: str
    options: tuple[Any, ...]
    extra: dict[str, Any]
    is_optional: bool
    needs: tuple[tuple[str, str], ...] = ()

    @property
    def is_file(self) -> bool:
        """A file of the host's input folder, such as Load Image's."""
        return any(self.extra.get(name) for name in UPLOADS)

    @property
    def is_widget(self) -> bool:
        """A value, not a connection only."""
        return self.type in CASTS and not self.extra.get("forceInput")


def specs(schema: dict[str, Any], values: dict[str, Any] | None = None) -> dict[str, Spec]:
    """Inputs of a node by the name that the API has for them, those of a chosen option as `preset.steps`.

    values: the node's inputs, which choose the options; None gives the inputs of all options.
    """
    return dict(_specs(schema.get("input") or {}, values, "", ()))


def _specs(
    groups: dict[str, Any], values: dict[str, Any] | None, prefix: str, needs: tuple[tuple[str, str], ...]
) -> Iterator[tuple[str, Spec]]:
    for group in ("required", "optional"):
        for bare, described in (groups.get(group) or {}).items():
            name = prefix + bare
            kind, extra = described[0], dict(described[1]) if len(described) > 1 else {}
            options = tuple(kind) if isinstance(kind, list) else tuple(extra.get("options") or ())
            is_optional = group == "optional"
            if kind != DYNAMIC_COMBO:
                yield (
                    name,
                    Spec(
                        "COMBO" if isinstance(kind, list) else str(kind), options, extra, is_optional, needs
                    ),
                )
                continue
            yield name, Spec("COMBO", tuple(option["key"] for option in options), extra, is_optional, needs)
            for option in options:
                if values is None or values.get(name) == option["key"]:
                    yield from _specs(option["inputs"], values, f"{name}.", (*needs, (name, option["key"])))


def cast(spec: Spec, cell: Cell) -> Any:
    """The cell as a value of the input.

    Raises:
        ValueError: the wrong type, out of range, or none of the options; with what it takes.
    """
    if not spec.is_widget:
        raise ValueError(f"is connected, by type {spec.type}, and takes no value.")
    return CASTS[spec.type](spec, cell)


def _whole(spec: Spec, cell: Cell) -> int:
    try:
        number = float(cell) if isinstance(cell, (float, bool)) else int(cell)
    except ValueError:
        number = math.nan
    if isinstance(cell, bool) or number != int(number if math.isfinite(number) else 0):
        raise ValueError(f"takes a whole number, got {cell!r}.")
    return int(_in_range(spec, int(number)))


def _real(spec: Spec, cell: Cell) -> float:
    try:
        number = math.nan if isinstance(cell, bool) else float(cell)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise ValueError(f"takes a number, got {cell!r}.")
    return _in_range(spec, number)


def _in_range(spec: Spec, number: Any) -> Any:
    low, high = spec.extra.get("min"), spec.extra.get("max")
    if (low is not None and number < low) or (high is not None and number > high):
        raise ValueError(f"takes {low} to {high}, got {number}.")
    return number


def _truth(_: Spec, cell: Cell) -> bool:
    text = str(cell).lower()
    if text not in TRUE + FALSE:
        raise ValueError(f"takes true or false, got {cell!r}.")
    return text in TRUE


def _text(_: Spec, cell: Cell) -> str:
    return str(cell)


def _option(spec: Spec, cell: Cell) -> Any:
    for option in spec.options:
        if option == cell or str(option) == str(cell):
            return option
    if not spec.options or spec.is_file:
        return str(cell)
    named = ", ".join(map(str, spec.options[:OPTIONS_NAMED]))
    more = f" and {len(spec.options) - OPTIONS_NAMED} more" if len(spec.options) > OPTIONS_NAMED else ""
    raise ValueError(f"takes {named}{more}; got {cell!r}.")


CASTS = {"INT": _whole, "FLOAT": _real, "BOOLEAN": _truth, "STRING": _text, "COMBO": _option}
