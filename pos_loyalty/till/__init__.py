"""The cashier's verbs. ``Till`` is taken from here; what it is asked and answers stands in ``model``."""

from pos_loyalty.till.till import Till as Till
