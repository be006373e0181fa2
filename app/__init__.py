"""Who connects the parts? The HTTP service, the pipeline, the wiring and the command line."""
