"""The true clips that predictions are compared with."""
