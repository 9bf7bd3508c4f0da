"""`official` numerics: what the authors' inference computes otherwise than the host."""

import torch

from .view import View


def official_numerics(view: View) -> None:
    """Make a view compute as the authors' inference script does; docs/parity.md lists the differences."""
    network = view.network

    def timestep(former, timestep, batch_size, hidden_dtype, **kwargs):
        """Every audio-video modulation from the scalar sigma, as the authors trained.

        The host gives each token its own sigma there, 0 for the first frame and the reference.
        """
        timesteps, embedded, prompt = former(timestep, batch_size, hidden_dtype, **kwargs)
        video, audio, _, video_prompt, audio_prompt = timesteps
        sigma = kwargs["sigmas"].max().to(timestep).expand(batch_size) * network.timestep_scale_multiplier
        gate_sigma = sigma * (network.av_ca_timestep_scale_multiplier / network.timestep_scale_multiplier)

        def row(module, value):
            sizes = {"resolution": None, "aspect_ratio": None}
            embedding = module(value, sizes, batch_size=batch_size, hidden_dtype=hidden_dtype)[0]
            return embedding.view(batch_size, 1, -1)

        cross = [
            row(network.av_ca_audio_scale_shift_adaln_single, sigma),
            row(network.av_ca_video_scale_shift_adaln_single, sigma),
            row(network.av_ca_a2v_gate_adaln_single, gate_sigma),
            row(network.av_ca_v2a_gate_adaln_single, gate_sigma),
        ]
        if network.prompt_adaln_single is not None:  # LTX-2.3
            video_prompt = row(network.prompt_adaln_single, sigma)
            audio_prompt = row(network.audio_prompt_adaln_single, sigma)
        return [video, audio, cross, video_prompt, audio_prompt], embedded, prompt

    def positions(former, pixel_coords, frame_rate, x_dtype):
        """Video positions in bfloat16 from the start, as in the authors' script."""
        coords = pixel_coords[0].float().clone()
        coords[:, 0] = coords[:, 0] / frame_rate
        coords = coords.to(torch.bfloat16)
        _, audio = former(pixel_coords, frame_rate, x_dtype)
        self_attention = network._precompute_freqs_cis(
            coords,
            dim=network.inner_dim,
            out_dtype=x_dtype,
            max_pos=network.positional_embedding_max_pos,
            use_middle_indices_grid=network.use_middle_indices_grid,
            num_attention_heads=network.num_attention_heads,
        )
        audio_video = network._precompute_freqs_cis(
            coords[:, 0:1],
            dim=network.audio_cross_attention_dim,
            out_dtype=x_dtype,
            max_pos=[
                max(network.positional_embedding_max_pos[0], network.audio_positional_embedding_max_pos[0])
            ],
            use_middle_indices_grid=True,
            num_attention_heads=network.audio_num_attention_heads,
        )
        return [(self_attention, audio_video), audio]

    view.override("_prepare_timestep", timestep)
    view.override("_prepare_positional_embeddings", positions)
