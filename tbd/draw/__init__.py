"""`MusclePlan` + audio → `Motion`: the diffusion, its guidance and what it listens to."""
