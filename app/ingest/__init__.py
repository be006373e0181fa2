"""What is read from files: a catalogue, and what people did in another system."""
