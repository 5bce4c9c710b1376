"""Visual quality: pixels against pixels, distances between sets of frames or windows, quality without a reference."""
