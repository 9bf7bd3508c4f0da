"""The bench's rows and figures: a table for people, JSON for programs."""

from dataclasses import dataclass, field


@dataclass
class Report:
    """Rows of (what, value, unit, note), and the figures that have targets.

    Attributes:
        machine: what they were measured on.
        rows, figures: see above.
    """

    machine: str = ""
    rows: list[dict] = field(default_factory=list)
    figures: dict[str, float | None] = field(default_factory=dict)

    def add(self, what: str, value: float, unit: str, note: str = "") -> None:
        self.rows.append({"what": what, "value": value, "unit": unit, "note": note})

    def text(self) -> str:
        width = max(len(row["what"]) for row in self.rows)
        lines = [
            f"{row['what']:<{width}}  {_shown(row['value']):>10} {row['unit']:<6} {row['note']}".rstrip()
            for row in self.rows
        ]
        targets = [f"{name:<{width}}  {_shown(value):>10}" for name, value in self.figures.items()]
        return "\n".join([self.machine, "", *lines, "", *targets])


def _shown(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:.2e}" if value and abs(value) < 1e-3 else f"{value:.3f}"
