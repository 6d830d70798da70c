"""Receipts of pos-loyalty. The marker below proves whose package this is; nothing else stands here."""

__pos_loyalty__ = True
