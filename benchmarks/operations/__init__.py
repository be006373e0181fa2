"""What operating the service costs, and that it loses nothing."""
