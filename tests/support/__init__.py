"""What drives a real host and makes its models: for tests, and for the tools that need a running ComfyUI."""
