"""Predict, evaluate, compare: protocols, folders of predictions, scores, and the leaderboard that keeps them."""
