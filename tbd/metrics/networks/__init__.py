"""Pretrained networks that metrics use."""
