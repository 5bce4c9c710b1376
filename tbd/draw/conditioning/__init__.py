"""Networks that turn plans and audio into the tokens a denoiser attends to."""
