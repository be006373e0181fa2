"""The shapes of the HTTP API, each with an example; one file per resource."""
