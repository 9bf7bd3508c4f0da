"""study.html: what scores and listeners say, in tables and plots, with the paper's figures beside."""

import html
import math
from collections.abc import Iterable, Iterator, Sequence

from ..scores import WHAT
from ..store import Store
from . import published
from .analysis import Score, collected, scores
from .question import Question
from .reading import Marked, Preferred
from .statistics import Estimate

WIDTH, ROW, LABEL, MARGIN = 640, 26, 190, 16
STYLE = """
:root { color-scheme: light dark; } body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto;
padding: 0 1rem; } table { border-collapse: collapse; margin: .5rem 0 1rem; } th, td { padding: .25rem .8rem;
border-bottom: 1px solid #8884; text-align: right; font-variant-numeric: tabular-nums; } th:first-child,
td:first-child { text-align: left; } svg { max-width: 100%; } svg text { font: 13px system-ui, sans-serif; fill: currentColor; }
.note { opacity: .75; font-size: .9rem; } .apart { font-weight: 700; } aside { border: 1px solid #8886;
border-radius: .5rem; padding: .1rem 1rem; }
"""


def write(
    question: Question, store: Store, preferred: Sequence[Preferred] = (), marked: Sequence[Marked] = ()
) -> None:
    found = list(scores(question, collected(question, store)))
    store.write("study.html", iter([_html(question, found, preferred, marked).encode()]))


def text(question: Question, store: Store, preferred: Sequence[Preferred], marked: Sequence[Marked]) -> str:
    """The same for the terminal, without plots."""
    lines = [question.title]
    for score in scores(question, collected(question, store)):
        lines.append(f"\n{score.name}: {WHAT.get(score.name, '')}")
        for compared in score.settings:
            difference = f", difference {shown(compared.difference)}" if compared.difference else " (base)"
            lines.append(f"  {compared.setting}: {shown(compared.own)}{difference}")
    if preferred:
        lines.append(f"\n{question.ask} (against {question.base})")
        lines += [f"  {_preferred_text(item)}" for item in preferred]
    if marked:
        lines.append("\nOpinion, 1 to 5")
        for item in marked:
            difference = f", difference {shown(item.difference)}" if item.difference else " (base)"
            lines.append(f"  {item.setting}: {shown(item.own)}{difference}")
    return "\n".join(lines)


def shown(estimate: Estimate | None) -> str:
    """0.412 [0.380, 0.447], n 24."""
    if estimate is None:
        return ""
    if estimate.low is None or estimate.high is None:
        mean = "" if math.isnan(estimate.mean) else f"{estimate.mean:.4g}, "
        return f"{mean}n {estimate.n} ({estimate.note})"
    return f"{estimate.mean:.4g} [{estimate.low:.4g}, {estimate.high:.4g}], n {estimate.n}"


def _preferred_text(item: Preferred) -> str:
    counts = item.counts
    return (
        f"{item.setting}: preferred {counts.wins}, base {counts.losses}, no difference {counts.ties};"
        f" share {shown(item.share)}; sign test p {counts.p:.3g}, of all comparisons {item.p_adjusted:.3g}"
    )


def _html(
    question: Question, found: Sequence[Score], preferred: Sequence[Preferred], marked: Sequence[Marked]
) -> str:
    parts = [
        f"<h1>{html.escape(question.title)}</h1>",
        f"<p>{html.escape(question.about)}</p>",
        f"<p>{len(question.cases)} cases, {len(question.seeds)} seeds, base: <b>{html.escape(question.base)}</b>."
        " <a href='report.html'>All clips</a></p>",
        *_settings(question),
        "<h2>Scores</h2>",
        "<p class='note'>Intervals: 95 %, bias-corrected bootstrap, from 10 values on. Differences are taken in pairs of"
        " the same case and seed. Bold: the interval leaves out zero. Several comparisons are not corrected for each"
        " other, and a case with many seeds speaks for itself only.</p>",
    ]
    for score in found:
        parts += _score(score, question.base)
    if not found:
        parts.append("<p>No score was measured. The report says why, clip by clip.</p>")
    parts += _listeners(question, preferred, marked)
    parts += [
        "<h2>As published</h2>",
        f"<p class='note'>{html.escape(published.SOURCE)}. Not comparable with the figures above.</p>",
        "<aside>",
    ]
    for table in published.TABLES:
        parts += [f"<h3>{html.escape(table['title'])}</h3>", _table(table["columns"], table["rows"])]
    parts.append("</aside>")
    body = "\n".join(parts)
    title = html.escape(question.title)
    return f"<!doctype html>\n<html lang='en'><meta charset='utf-8'><title>{title}</title><style>{STYLE}</style>\n{body}\n</html>\n"


def _settings(question: Question) -> Iterator[str]:
    rows = [
        (
            setting.name,
            ", ".join(f"{name} = {value}" for name, value in setting.values.items()) or "the workflow's",
        )
        for setting in question.settings
    ]
    yield _table(("setting", "values"), rows)


def _score(score: Score, base: str) -> Iterator[str]:
    yield f"<h3>{html.escape(score.name)}</h3><p class='note'>{html.escape(WHAT.get(score.name, ''))}</p>"
    rows = []
    for compared in score.settings:
        needed = "" if compared.difference is None else f"{compared.pairs_needed or 'over 100,000'}"
        difference = compared.difference
        is_apart = difference is not None and difference.excludes_zero
        rows.append(
            (
                compared.setting,
                shown(compared.own),
                _Bold(shown(difference)) if is_apart else shown(difference),
                needed,
            )
        )
    yield _table(("setting", "mean", f"difference from {base}", "pairs to tell apart (80 % power)"), rows)
    yield plot([(compared.setting, compared.own) for compared in score.settings], score.name)
    differences = [
        (compared.setting, compared.difference) for compared in score.settings if compared.difference
    ]
    yield plot(differences, f"{score.name}: difference from {base}", with_zero=True)


def _listeners(question: Question, preferred: Sequence[Preferred], marked: Sequence[Marked]) -> Iterator[str]:
    if preferred:
        yield f"<h2>Listeners: {html.escape(question.ask)}</h2>"
        rows = [
            (
                i.setting,
                i.counts.wins,
                i.counts.losses,
                i.counts.ties,
                shown(i.share),
                f"{i.counts.p:.3g}",
                f"{i.p_adjusted:.3g}",
            )
            for i in preferred
        ]
        yield _table(
            ("setting", "preferred", "base", "no difference", "share", "p", "p, all comparisons"), rows
        )
        yield "<p class='note'>share: ties count half; listeners and clips are resampled together. p: exact sign test of the decided answers, as if each stood alone; the second with Holm's correction.</p>"
        yield plot(
            [(item.setting, item.share) for item in preferred],
            "share of preferences",
            zero=0.5,
            with_zero=True,
        )
    if marked:
        yield "<h2>Listeners: opinion, 1 bad to 5 excellent</h2>"
        rows = [(item.setting, shown(item.own), shown(item.difference)) for item in marked]
        yield _table(("setting", "mean opinion", f"difference from {question.base}"), rows)
        yield plot([(item.setting, item.own) for item in marked], "mean opinion")


class _Bold(str):
    pass


def _table(columns: Iterable[object], rows: Iterable[Iterable[object]]) -> str:
    head = "".join(f"<th>{html.escape(str(column))}</th>" for column in columns)
    body = "".join("<tr>" + "".join(map(_cell, row)) + "</tr>" for row in rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _cell(value: object) -> str:
    return f"<td{' class=apart' if isinstance(value, _Bold) else ''}>{html.escape(str(value))}</td>"


def plot(
    items: Sequence[tuple[str, Estimate | None]], title: str, with_zero: bool = False, zero: float = 0.0
) -> str:
    """Means as dots with their intervals, one below the other, as SVG."""
    drawn = [(name, e) for name, e in items if e is not None and math.isfinite(e.mean)]
    if not drawn:
        return ""
    ends = [end for _, e in drawn for end in (e.mean, e.low, e.high) if end is not None] + (
        [zero] if with_zero else []
    )
    low, high = min(ends), max(ends)
    span = (high - low) or 1.0

    def x(value: float) -> float:
        return LABEL + (value - low) / span * (WIDTH - LABEL - 2 * MARGIN) + MARGIN

    height = ROW * (len(drawn) + 1)
    marks = (
        [
            f"<line x1='{x(zero):.1f}' x2='{x(zero):.1f}' y1='0' y2='{height - ROW}' stroke='#888' stroke-dasharray='3'/>"
        ]
        if with_zero
        else []
    )
    for index, (name, e) in enumerate(drawn):
        y = ROW * (index + 0.5)
        marks.append(f"<text x='0' y='{y + 4:.1f}'>{html.escape(name[:26])}</text>")
        if e.low is not None and e.high is not None:
            marks.append(
                f"<line x1='{x(e.low):.1f}' x2='{x(e.high):.1f}' y1='{y}' y2='{y}' stroke='#48f' stroke-width='3'/>"
            )
        marks.append(f"<circle cx='{x(e.mean):.1f}' cy='{y}' r='5' fill='#48f'/>")
    axis = ROW * len(drawn) + 14
    marks += [
        f"<text x='{x(low):.1f}' y='{axis}' text-anchor='middle'>{low:.3g}</text>",
        f"<text x='{x(high):.1f}' y='{axis}' text-anchor='middle'>{high:.3g}</text>" if high > low else "",
    ]
    return f"<svg viewBox='0 0 {WIDTH} {height}' width='{WIDTH}' role='img' aria-label='{html.escape(title, quote=True)}'>{''.join(marks)}</svg>"
