"""What people take whatever they ask: the catalogue as columns, what is learned, and what trends."""
