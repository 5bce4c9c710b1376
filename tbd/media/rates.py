"""The rates that everything is resampled to: 25 frames per second and 16 kHz."""

FPS = 25
"""Frames per second of every motion and video."""
SAMPLE_RATE = 16_000
"""Audio samples per second that models take."""
SAMPLES_PER_FRAME = SAMPLE_RATE // FPS
"""Audio samples per frame: 640."""
