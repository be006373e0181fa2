"""The demo: a bundled music catalogue, and simulated listeners who search it over HTTP."""
