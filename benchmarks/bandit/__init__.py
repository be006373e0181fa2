"""The bandit's evidence."""
