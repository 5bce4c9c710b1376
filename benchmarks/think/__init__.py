"""How well each planner thinks: leading emotions, muscles, times, doubt and speed, on five families of sentences.

Protocol ``think-2``; `benchmarks.think.__main__` says what is measured.
"""
