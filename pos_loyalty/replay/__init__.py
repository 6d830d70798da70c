"""Readers of receipts that others wrote: each turns rows into past sales, in time order, ready to be sold again."""
