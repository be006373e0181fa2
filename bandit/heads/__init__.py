"""What the coverage policy learns: rewards of arms, their union, and plans' offsets."""
