"""A real Chromium on a running ComfyUI.

window.py opens it; comfy_page.py says what a person does there; listener.py keeps what the browser complains about.
"""
