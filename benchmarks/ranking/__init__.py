"""The ranker's evidence."""
