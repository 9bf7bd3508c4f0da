"""A real Chromium on a running ComfyUI.

chromium.py finds or installs the browser (standard library only: `dev.py` uses it); window.py opens it;
comfy_page.py says what a person does there; listener.py keeps what the browser complains about;
screenshots.py takes the documentation's pictures.
"""
