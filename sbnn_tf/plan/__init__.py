"""What to prune, how much of it, and when: scores, budgets, schedules, policies."""
