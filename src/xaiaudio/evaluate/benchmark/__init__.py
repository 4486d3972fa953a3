"""All methods under all measures: samples, context, the leaderboard and its finished rows."""
