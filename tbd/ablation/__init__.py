"""Ablations: a base experiment, variants that change a component, and the table of what that did. `tbd ablate` runs them."""
