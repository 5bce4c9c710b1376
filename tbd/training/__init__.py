"""`tbd fit | validate | test`: Lightning's command line, its callbacks, and how runs start and resume."""
