"""One question a file, asked of a till's or head office's database, read only."""
