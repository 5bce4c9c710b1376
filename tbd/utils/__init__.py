"""What every part uses and none of the field knows: files, processes, class paths, messages."""
