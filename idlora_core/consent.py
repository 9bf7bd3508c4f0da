"""The consent that a voice file carries: who gave it, when, for what, and until when.

It is a statement of whoever saved the file, not a proof: anyone who can edit the file can change it.
"""

import json
from dataclasses import asdict, dataclass
from datetime import date as Day

MAX_CHARACTERS = {"by": 200, "date": 10, "scope": 500, "until": 10, "statement": 2_000}
"""Together short enough for the consent of a signed clip."""


@dataclass(frozen=True)
class Consent:
    """What the speaker agreed to; every field may be empty.

    Attributes:
        by: who gave it. date: when, YYYY-MM-DD. scope: for what.
        until: the last day on which it holds, YYYY-MM-DD; empty = no end.
        statement: in the speaker's words.
    """

    by: str = ""
    date: str = ""
    scope: str = ""
    until: str = ""
    statement: str = ""

    def __post_init__(self) -> None:
        for name, text in asdict(self).items():
            most = MAX_CHARACTERS[name]
            if len(text) > most:
                raise ValueError(f"Consent, {name}: {len(text)} characters; at most {most} are kept.")
            if not "".join(text.split()).isprintable():
                raise ValueError(f"Consent, {name}: it has characters that cannot be shown. Type it again.")
        for name in ("date", "until"):
            _checked_date(name, getattr(self, name))

    @property
    def is_given(self) -> bool:
        """Whether anybody is named, or anything was said."""
        return bool(self.by or self.statement)

    def has_ended(self, today: Day) -> bool:
        """Whether `until` lies before today."""
        return bool(self.until) and Day.fromisoformat(self.until) < today

    @property
    def summary(self) -> str:
        """One line for the node: given by whom, for what, until when."""
        if not self.is_given:
            return "No consent is recorded in this file."
        parts = [f"Consent by {self.by}" if self.by else "Consent recorded"]
        parts += [f"on {self.date}"] if self.date else []
        parts += [f"for {self.scope}"] if self.scope else []
        parts += [f"until {self.until}"] if self.until else []
        return ", ".join(parts) + "."

    @property
    def in_full(self) -> str:
        """The summary and the statement, as a signed clip has them; empty where nobody agreed."""
        if not self.is_given:
            return ""
        return f'{self.summary} "{self.statement}"' if self.statement else self.summary

    def as_json(self) -> str:
        return json.dumps({name: text for name, text in asdict(self).items() if text}, ensure_ascii=False)


def consent_from_json(text: str) -> Consent:
    """The inverse of `Consent.as_json`; fields that are not known here are left out.

    Raises:
        ValueError: not a JSON object of short texts, or a date that is none.
    """
    try:
        fields = json.loads(text) if text else {}
    except (ValueError, RecursionError):
        raise ValueError("its consent is not valid JSON") from None
    if not isinstance(fields, dict) or not all(isinstance(value, str) for value in fields.values()):
        raise ValueError("its consent is not an object of texts")
    return Consent(**{name: fields[name] for name in Consent.__dataclass_fields__ if name in fields})


def _checked_date(name: str, text: str) -> None:
    try:
        if text and Day.fromisoformat(text).isoformat() == text:
            return
    except ValueError:
        pass
    if text:
        raise ValueError(f"Consent, {name}: {text[:40]!r} is not a date; write it as 2026-12-31.")
