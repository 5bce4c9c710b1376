"""`torch` datasets, samplers and augmentations over prepared clips."""
