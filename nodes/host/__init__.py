"""Everything that touches ComfyUI. No other file of the pack imports `comfy.*` or the host's own modules."""
