"""The offline planner's parts: tokens, words, clauses, times, expressions."""
