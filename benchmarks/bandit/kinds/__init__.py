"""A real catalogue and five kinds of query, recorded once and valued in hindsight."""
