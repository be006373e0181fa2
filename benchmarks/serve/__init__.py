"""How fast the whole is: a real server, asked over HTTP by another process."""
