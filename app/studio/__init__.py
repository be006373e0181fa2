"""The web studio: thin pages whose modules read the public HTTP API."""
