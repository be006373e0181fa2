"""Who took what: customers' tastes, and the relations between items that follow from them."""
