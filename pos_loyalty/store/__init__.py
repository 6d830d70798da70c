"""The local SQLite file: a handful of functions for each thing kept."""
