"""What is learned from the log, tried out, measured, and let through to serve."""
