"""Who gets which variant, and which one people prefer."""
