"""A small grocery-café that sells 25 baskets through a network cut and proves that nothing was lost."""
