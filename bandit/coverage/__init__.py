"""The policy that serves: what arms earn, their union, and what plans earn beside it."""
