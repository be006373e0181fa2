"""What the lexical arm is made of: the words of a language, what is indexed of an item, guesses, facets, and the folder
of its index."""
