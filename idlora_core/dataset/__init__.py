"""Datasets for training an ID-LoRA: cuts, captions, pairs, what is left out and why, and the layouts of trainers."""
