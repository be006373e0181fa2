"""Who searches when nobody does? Click models and traffic; nothing here reaches a learner except as clicks."""
