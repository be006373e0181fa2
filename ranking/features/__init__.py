"""Feature families: one file each, and the extractor that puts them side by side."""
