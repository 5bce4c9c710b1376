"""The rules of a sound plan: each takes a plan and gives it back mended, with a finding for everything that it mended."""
