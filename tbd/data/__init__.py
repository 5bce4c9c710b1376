"""Where training data comes from: the procedural corpus, MEAD, HDTF, and what prepares them."""
