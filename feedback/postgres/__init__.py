"""Everything durable in PostgreSQL, for several processes on several machines that share it."""
