"""The leaderboard: its rows, and the tables, plots and page made of them."""
