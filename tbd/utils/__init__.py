"""Helpers without knowledge of faces or models: files, processes, class paths, messages."""
