"""What the commands that draw videos share: who speaks, what is printed, and a table of many videos."""
