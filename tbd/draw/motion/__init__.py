"""The motion model: its diffusion, its denoiser, and an audio encoder learnt by distillation."""
