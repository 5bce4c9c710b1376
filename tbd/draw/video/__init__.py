"""The latent video model: its diffusion, its denoiser, and what large models need to train."""
