"""The edge of the service: who may call, what may come in, and how the server lives and ends."""
