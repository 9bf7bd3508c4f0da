"""`python -m idlora_batch`."""

import sys

from .command import main

sys.exit(main())
