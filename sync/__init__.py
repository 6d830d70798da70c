"""Till and head office in step. The marker below proves whose package this is; nothing else stands here."""

__pos_loyalty__ = True
