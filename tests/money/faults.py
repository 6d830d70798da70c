"""All faults that are planted, one at a time: each must be noticed by a money law of this folder."""

from __future__ import annotations

from tests.money.faults_of_books import LEDGER_FAULTS, PAPER_FAULTS
from tests.money.faults_of_goods import PRICE_FAULTS, RETURN_FAULTS

FAULTS = (*PRICE_FAULTS, *RETURN_FAULTS, *LEDGER_FAULTS, *PAPER_FAULTS)
