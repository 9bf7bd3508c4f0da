"""ID-LoRA files: read without loading, told from other files, matched to a model's layers."""
