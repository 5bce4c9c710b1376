"""Options of commands: how they are declared, parsed, explained and checked."""
