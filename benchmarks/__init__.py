"""Protocols that measure what tbd makes. Run one as ``python -m benchmarks.NAME --help``."""
