"""How the structured arm reads a query: what the words of the catalogue name, and which items a reading means."""
