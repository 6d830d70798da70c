"""A store's hub: it keeps its tills' logs until head office has them, holds the store's rights, tells each till of the others."""
