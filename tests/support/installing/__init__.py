"""Installing the pack as users do: comfy-cli, ComfyUI-Manager, a ComfyUI of their own, no network but loopback."""
