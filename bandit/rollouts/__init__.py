"""What a new policy has to show before it serves more people."""
