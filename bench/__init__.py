"""`dev.py bench`: our guided step beside the peers' five passes, in one process; and the small costs around it."""
