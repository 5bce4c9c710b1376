"""The pretrained networks that metrics look through."""
