"""Files of other trainers that an export fills in: their names of settings, the values of the ID-LoRA recipe.

Values are those that the authors released LTX-2.3 ID-LoRAs with (arXiv 2603.10256 and their configuration);
docs/training.md says where paper and code differ.
"""

_PARTS = {
    **dict.fromkeys(
        ("audio_attn1", "audio_attn2", "audio_to_video_attn", "video_to_audio_attn"),
        ("to_q", "to_k", "to_v", "to_out.0"),
    ),
    "audio_ff": ("net.0.proj", "net.2"),
}
TARGETS = tuple(f"{part}.{layer}" for part, layers in _PARTS.items() for layer in layers)

AUTHORS_YAML = (
    """\
# python ID-LoRA-2.3/packages/ltx-trainer/scripts/train.py training.yaml     (in the authors' repository)
# Several GPUs: accelerate launch --config_file ID-LoRA-2.3/packages/ltx-trainer/configs/accelerate/ddp.yaml
#               ID-LoRA-2.3/packages/ltx-trainer/scripts/train.py training.yaml
# CONSENT.txt beside this file says what the people in the recordings agreed to.
model:
  model_path: models/ltx-2.3-22b-dev.safetensors  # yours
  text_encoder_path: models/gemma-3-12b-it-qat-q4_0-unquantized  # yours
  training_mode: lora
  load_checkpoint: null  # a released ID-LoRA, to go on from it
data:
  preprocessed_data_root: {root}
  num_dataloader_workers: 2
output_dir: outputs/id_lora
seed: 42
lora:
  rank: 128
  alpha: 128
  dropout: 0.0
  target_modules:
"""
    + "".join(f"    - {target}\n" for target in TARGETS)
    + """\
training_strategy:
  name: audio_ref_only_ic
  audio_latents_dir: audio_latents
  reference_audio_latents_dir: reference_audio_latents
  first_frame_conditioning_p: 0.9
  use_negative_ref_positions: true
  mask_cross_attention_to_reference: true
  mask_reference_from_text_attention: true
optimization:
  steps: 3000
  batch_size: 1
  gradient_accumulation_steps: 4
  learning_rate: 0.0002
  max_grad_norm: 1.0
  optimizer_type: adamw8bit
  scheduler_type: linear
  scheduler_params: {{}}
  enable_gradient_checkpointing: true
acceleration:
  mixed_precision_mode: bf16
  quantization: int8-quanto
  load_text_encoder_in_8bit: false
flow_matching:
  timestep_sampling_mode: shifted_logit_normal
  timestep_sampling_params: {{}}
checkpoints:
  interval: 200
  keep_last_n: 3
  precision: bfloat16
validation:
  prompts: []
  interval: null
  video_dims: [{width}, {height}, {frames}]
  frame_rate: 25.0
wandb:
  enabled: false
hub:
  push_to_hub: false
"""
)

MUSUBI_TOML = """\
[general]
resolution = [{width}, {height}]
caption_extension = ".txt"
batch_size = 1
enable_bucket = true
cache_directory = {cache}
reference_audio_cache_directory = {cache_reference_audio}
separate_audio_buckets = true

[[datasets]]
video_directory = {videos}
reference_audio_directory = {reference_audio}
target_frames = [{frames}]
target_fps = 25.0
"""

MUSUBI_COMMANDS = """\
# In a checkout of AkaneTendo25/musubi-tuner, branch ltx-2. Set the two paths first.
CHECKPOINT=/path/to/ltx-2.3-22b-dev.safetensors
GEMMA=/path/to/gemma-3-12b-it
DATASET="{toml}"

python ltx2_cache_latents.py --dataset_config "$DATASET" --ltx2_checkpoint "$CHECKPOINT" --ltx2_mode av \\
  --device cuda --vae_dtype bf16
python ltx2_cache_text_encoder_outputs.py --dataset_config "$DATASET" --ltx2_checkpoint "$CHECKPOINT" --ltx2_mode av \\
  --gemma_root "$GEMMA" --gemma_load_in_8bit --device cuda
accelerate launch --num_cpu_threads_per_process 1 --mixed_precision bf16 ltx2_train_network.py \\
  --dataset_config "$DATASET" --ltx2_checkpoint "$CHECKPOINT" --ltx2_mode av --mixed_precision bf16 \\
  --fp8_base --fp8_scaled --blocks_to_swap 10 --sdpa --gradient_checkpointing \\
  --network_module networks.lora_ltx2 --network_dim 128 --network_alpha 128 --lora_target_preset audio_ref_ic \\
  --audio_ref_use_negative_positions --audio_ref_mask_cross_attention_to_reference \\
  --audio_ref_mask_reference_from_text_attention --ltx2_first_frame_conditioning_p 0.9 \\
  --timestep_sampling shifted_logit_normal --learning_rate 2e-4 --output_dir output --output_name my_id_lora
"""
