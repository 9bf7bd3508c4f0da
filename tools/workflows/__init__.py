"""The shipped workflows' single source: each graph is written once, both JSON formats are drawn from it.

    python3 dev.py workflows                  draws workflows/*.json, *.jpg and docs/api/*.json
    python3 dev.py workflows --record [NODE]  records the node types' schemas first, from a host that it starts

To add a workflow: a file with a function that returns a `Graph` (see one_stage.py; head.py and
tail.py have the parts that the workflows share), and an entry in files.py.
"""

from .api_format import draw_api, small_overrides
from .files import WORKFLOWS, Workflow
from .ui_format import draw_ui

__all__ = ["WORKFLOWS", "Workflow", "draw_api", "draw_ui", "small_overrides"]
