"""The person before the background: pictures in two layers."""
