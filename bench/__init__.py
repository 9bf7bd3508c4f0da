"""`dev.py bench`: our guided step beside the five plain passes of stacked nodes, in one process; and the small costs around it."""
