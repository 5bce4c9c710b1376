"""How the conditional predictions of a denoising step are combined."""
