"""A network that finishes the mouth that the mesh warp draws: trained on film, component of `NeuralMeshRenderer`."""
