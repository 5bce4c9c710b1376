"""A network that finishes the mouth that the mesh warp draws: trained on video, component of `NeuralMeshRenderer`."""
