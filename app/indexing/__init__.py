"""What follows the catalogue: indexes and the table of items, kept up to date and on disk."""
