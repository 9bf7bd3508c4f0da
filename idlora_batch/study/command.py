"""`study QUESTION`, `study pages OUT`, `study read OUT ANSWERS...`."""

import argparse
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from ..faults import BadTable, Fault
from ..store import Store, opened
from . import listening, page, reading
from .question import Question, found, load

QUESTION_FILE = "question.json"


def add_to(
    commands: argparse._SubParsersAction, add_hosts: Callable[[argparse.ArgumentParser], None]
) -> None:
    study = commands.add_parser(
        "study", help="a question about settings: clips, scores with intervals, listening pages"
    )
    study.add_argument("question", help="a .toml file, or the name of a shipped question")
    study.add_argument("--cases", type=Path, help="a table of cases, in place of those in the question")
    study.add_argument("--seeds", help="1..8 or 3,5,9, in place of those in the question")
    study.add_argument("--workflow", help="in place of the question's")
    study.add_argument("--out", required=True, help="folder of the results")
    study.add_argument("--resume", action="store_true", help="go on with an earlier run")
    study.add_argument(
        "--retry-failed", action="store_true", help="with --resume: try rows that failed once more"
    )
    add_hosts(study)
    study.set_defaults(run=run_study, sign=False)
    pages = commands.add_parser("study-pages", help="also `study pages`: make the listening pages again")
    pages.add_argument("out")
    pages.set_defaults(run=run_pages)
    read = commands.add_parser(
        "study-read", help="also `study read`: what listeners answered, beside the scores"
    )
    read.add_argument("out")
    read.add_argument("answers", nargs="+", type=Path, help="files that listeners saved")
    read.set_defaults(run=run_read)


def run_study(options: argparse.Namespace) -> int:
    from .. import command

    file = found(options.question)
    question, root = _asked(options, file)
    options.workflow = question.workflow
    order = command.order_of(options, question.rows, root)
    order = replace(order, workflow=_workflow(question, file))
    store = opened(options.out)
    outcome = command.render_into(store, order, options)
    code = command.tell(outcome, store)
    store.write(QUESTION_FILE, iter([json.dumps(_kept(question)).encode()]))
    try:
        print(f"For listeners: {listening.write(question, store)}")
    except ValueError as error:
        print(error)
    page.write(question, store)
    print(f"{store}/study.html")
    return code


def run_pages(options: argparse.Namespace) -> int:
    store = opened(options.out)
    print(listening.write(_question_of(store), store))
    return 0


def run_read(options: argparse.Namespace) -> int:
    store = opened(options.out)
    question, key = _question_of(store), reading.key_of(store)
    answers = reading.read(options.answers)
    page.write(
        question, store, reading.preferences(question, key, answers), reading.marks(question, key, answers)
    )
    print(
        page.text(
            question,
            store,
            reading.preferences(question, key, answers),
            reading.marks(question, key, answers),
        )
    )
    print(f"{store}/study.html")
    return 0


def _asked(options: argparse.Namespace, file: Path) -> tuple[Question, Path]:
    """The question with what the options change, and the folder that paths of its cases are relative to."""
    question = load(file)
    if options.cases:
        question = question.with_cases(options.cases)
    if options.seeds:
        question = question.with_seeds(options.seeds)
    if options.workflow:
        question = replace(question, workflow=options.workflow)
    if not question.cases:
        text = f"{file.name} has no cases: add [[cases]], or name a table of faces, voices and words with --cases."
        raise BadTable([Fault(text)])
    return question, (options.cases or file).resolve().parent


def _workflow(question: Question, file: Path) -> str:
    """A workflow beside the question, where it is one."""
    beside = (file.parent / question.workflow).resolve()
    is_file = question.workflow.endswith(".json")
    return str(
        beside
        if is_file and beside.is_file()
        else Path(question.workflow).resolve()
        if is_file
        else question.workflow
    )


def _kept(question: Question) -> dict:
    return {
        "title": question.title,
        "about": question.about,
        "workflow": question.workflow,
        "seeds": ",".join(map(str, question.seeds)),
        "base": question.base,
        "ask": question.ask,
        "settings": [{"name": setting.name, "values": setting.values} for setting in question.settings],
        "cases": list(question.cases),
    }


def _question_of(store: Store) -> Question:
    from .question import Setting, _seeds

    try:
        kept = json.loads((store.folder / QUESTION_FILE).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ValueError(f"{store} holds no study (no {QUESTION_FILE}).") from None
    settings = tuple(Setting(item["name"], item["values"]) for item in kept["settings"])
    return Question(
        **{**kept, "seeds": _seeds(kept["seeds"]), "settings": settings, "cases": tuple(kept["cases"])}
    )
