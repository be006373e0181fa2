"""What the lexical arm is made of: the words of a language, guesses, facets, and the folder of its index."""
