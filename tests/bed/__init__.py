"""The test bed: an environment, the real host, small models and the commands of `dev.py`.

Modules that `dev.py` imports use the standard library alone, since they run before anything is installed.
"""
