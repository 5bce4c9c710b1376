"""Hear: which sounds a voice makes, and when."""
