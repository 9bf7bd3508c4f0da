"""ComfyUI as another program sees it: its HTTP interface, its websocket, its process."""
