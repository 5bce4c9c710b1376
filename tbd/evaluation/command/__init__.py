"""Programs of any language as predictors: a command line with placeholders, run and measured clip by clip."""
