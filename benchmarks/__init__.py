"""How good, how fast, how sure? Nothing of the service imports this."""
