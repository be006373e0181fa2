"""How a ranking model is made from clicks, and whether it may serve."""
