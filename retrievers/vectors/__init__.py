"""Texts as vectors: the encoder, what it encoded, the nearest to one, where clicks say that queries should point."""
