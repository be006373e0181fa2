"""Queries to entities: what the memory arm predicts before the first click, and what it learns from clicks."""
