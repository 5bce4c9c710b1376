"""Planners that ask a language model, here or on a server."""
