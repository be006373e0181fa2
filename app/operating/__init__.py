"""What running the service takes: to look into it, to keep copies, to forget, to take over a changed configuration."""
