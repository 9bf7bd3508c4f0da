"""The method of ID-LoRA (arXiv 2603.10256) without a host: positions, tokens, guidance, sigmas, files.

Nothing in this package imports ComfyUI; a test starts an interpreter without it to prove that.
"""
