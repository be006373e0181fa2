"""What keeps one broken part from taking the rest along: threads of its own, a deadline, a circuit breaker."""
