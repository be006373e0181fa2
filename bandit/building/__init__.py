"""A library of plans, from what shadows have seen."""
