"""The command line: a module for each command, named as the command."""
