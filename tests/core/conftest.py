"""What several tests of the core share."""

import json

import pytest
from safetensors.torch import save_file


@pytest.fixture
def save(tmp_path):
    def write(tensors, name="lora.safetensors", metadata=None, config=None):
        save_file(tensors, tmp_path / name, metadata=metadata)
        if config is not None:
            text = config if isinstance(config, str) else json.dumps(config)
            (tmp_path / "adapter_config.json").write_text(text)
        return tmp_path / name

    return write
