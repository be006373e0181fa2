"""What is learned while the service runs: tried out, and let through to serve."""
