"""The way of a query: from the request to the page that is shown and logged."""
