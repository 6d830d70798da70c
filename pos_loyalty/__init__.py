"""A loyalty programme for any till. The public names are those in ``__all__``; everything else is private."""

from __future__ import annotations

import importlib
import os
import sys
from importlib.machinery import PathFinder
from typing import TYPE_CHECKING, Any, NoReturn

if TYPE_CHECKING:
    from pos_loyalty.engine.model import Basket as Basket
    from pos_loyalty.engine.model import Line as Line
    from pos_loyalty.engine.model import Quote as Quote
    from pos_loyalty.engine.model import Tender as Tender
    from pos_loyalty.errors import LoyaltyError as LoyaltyError
    from pos_loyalty.errors import QuoteStaleError as QuoteStaleError
    from pos_loyalty.till import Till as Till
    from pos_loyalty.till.model import CancelRequest as CancelRequest
    from pos_loyalty.till.model import CompleteRequest as CompleteRequest
    from pos_loyalty.till.model import IdentifyRequest as IdentifyRequest
    from pos_loyalty.till.model import QuoteRequest as QuoteRequest
    from pos_loyalty.till.model import SaleAnswer as SaleAnswer
    from pos_loyalty.till.model import SaleRequest as SaleRequest
    from pos_loyalty.till.model import VoidRequest as VoidRequest
    from pos_loyalty.values import decode as decode
    from pos_loyalty.wiring import open_till as open_till

__version__ = "0.1.0"
_HOMES = {
    "Basket": "pos_loyalty.engine.model",
    "CancelRequest": "pos_loyalty.till.model",
    "CompleteRequest": "pos_loyalty.till.model",
    "IdentifyRequest": "pos_loyalty.till.model",
    "Line": "pos_loyalty.engine.model",
    "LineBack": "pos_loyalty.till.returns_model",
    "LoyaltyError": "pos_loyalty.errors",
    "Quote": "pos_loyalty.engine.model",
    "QuoteRequest": "pos_loyalty.till.model",
    "QuoteStaleError": "pos_loyalty.errors",
    "ReturnAnswer": "pos_loyalty.till.returns_model",
    "ReturnRequest": "pos_loyalty.till.returns_model",
    "SaleAnswer": "pos_loyalty.till.model",
    "SaleRequest": "pos_loyalty.till.model",
    "Tender": "pos_loyalty.engine.model",
    "Till": "pos_loyalty.till",
    "VoidRequest": "pos_loyalty.till.model",
    "decode": "pos_loyalty.values",
    "open_till": "pos_loyalty.wiring",
}
__all__ = ["__version__", *_HOMES]  # noqa: PLE0604 - the keys are names


def _check_siblings() -> None:
    """Fail with one clear sentence when a foreign package took the place of one of ours."""
    for name in ("drivers", "sync", "receipts"):
        reason = "it has no marker of ours"
        module = sys.modules.get(name)
        if module is None:
            try:
                module = importlib.import_module(name)
            except Exception as error:  # noqa: BLE001 - a foreign package may fail in any way
                reason = f"it failed with {type(error).__name__}: {error}"
        if getattr(module, "__pos_loyalty__", False) is not True:
            _stop(
                f'pos_loyalty found a foreign package "{name}" at {_place_of(name, module)} ({reason}); '
                "install pos-loyalty into an environment of its own and start it from a folder without that name"
            )


def _stop(sentence: str) -> NoReturn:
    """Our own command ends with the sentence alone; a host that imports us gets it as an ImportError."""
    if os.path.splitext(os.path.basename(sys.argv[0]))[0] == "pos-loyalty":
        sys.exit(f"pos-loyalty: {sentence}")
    raise ImportError(sentence) from None


def _place_of(name: str, module: object) -> str:
    places = getattr(module, "__path__", None)
    if places:
        return str(next(iter(places)))
    spec = PathFinder.find_spec(name)
    if spec is None:
        return "no folder at all"
    return next(iter(spec.submodule_search_locations or ()), spec.origin or "an unknown place")


_check_siblings()


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'pos_loyalty' has no attribute {name!r}")
    return getattr(importlib.import_module(home), name)
