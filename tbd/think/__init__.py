"""Text → `MusclePlan`. Nothing here imports torch, except encoders and language models."""
