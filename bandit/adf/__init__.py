"""A bandit over whole plans, by Vowpal Wabbit: what the coverage policy is compared with."""
