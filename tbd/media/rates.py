"""The rates that everything is brought to: 25 frames a second and 16 kHz."""

FPS = 25
SAMPLE_RATE = 16_000
SAMPLES_PER_FRAME = SAMPLE_RATE // FPS
