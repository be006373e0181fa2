"""Who answers a search: the process of the service, or one beside it."""
