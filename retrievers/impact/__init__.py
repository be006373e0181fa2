"""The inverted index of weighted terms behind the sparse arm, and where the weights come from."""
