"""What `dev.py` sets up and runs: the environment, ComfyUI releases, small models; checks, tests, demo.

Modules that `dev.py` imports use the standard library alone, since they run before anything is installed.
"""
