"""business-rules (Python): which of the rules match a basket. It prices nothing; the action counts the hit."""

from importlib.metadata import version
from typing import Any

from business_rules import run_all
from business_rules.actions import BaseActions, rule_action
from business_rules.variables import BaseVariables, numeric_rule_variable, select_multiple_rule_variable
from common_peer import read_work, report, total_of

FIELDS = {"skus": "sku", "cats": "cat", "brands": "brand"}


class Basket(BaseVariables):  # type: ignore[misc]
    """What a rule may ask of a basket."""

    def __init__(self, basket: dict[str, Any]) -> None:
        self.names = {kind: [line[field] for line in basket["lines"]] for kind, field in FIELDS.items()}
        self.level = basket["tier"]
        self.sum_minor = total_of(basket)

    @select_multiple_rule_variable()
    def skus(self) -> list[str]:
        """The SKUs of the basket."""
        return self.names["skus"]

    @select_multiple_rule_variable()
    def cats(self) -> list[str]:
        """Its categories."""
        return self.names["cats"]

    @select_multiple_rule_variable()
    def brands(self) -> list[str]:
        """Its brands."""
        return self.names["brands"]

    @numeric_rule_variable
    def tier(self) -> int:
        """The member's tier."""
        return self.level

    @numeric_rule_variable
    def total(self) -> int:
        """Minor units before discounts."""
        return self.sum_minor


class Hits(BaseActions):  # type: ignore[misc]
    """Remembers which rules matched."""

    def __init__(self) -> None:
        self.found: list[int] = []

    @rule_action(params=[])
    def hit(self, rule: int) -> None:
        """A rule matched."""
        self.found.append(rule)


def rule_of(rule: dict[str, Any]) -> dict[str, Any]:
    """The cheap question first: the tier, the sum, then the goods."""
    conditions: list[dict[str, Any]] = []
    if rule["tier"]:
        conditions.append({"name": "tier", "operator": "greater_than_or_equal_to", "value": rule["tier"]})
    if rule.get("min_amount"):
        conditions.append({"name": "total", "operator": "greater_than_or_equal_to", "value": rule["min_amount"]})
    conditions += [
        {"name": kind, "operator": "shares_at_least_one_element_with", "value": rule[kind]} for kind in FIELDS if rule.get(kind)
    ]
    return {"conditions": {"all": conditions}, "actions": [{"name": "hit", "params": {"rule": rule["id"]}}]}


def main() -> None:
    """Match and report."""
    work = read_work()
    rules = [rule_of(rule) for rule in work["rules"]]

    def answer(basket: dict[str, Any]) -> int:
        hits = Hits()
        run_all(rule_list=rules, defined_variables=Basket(basket), defined_actions=hits)
        return len(hits.found)

    report(version("business-rules"), work, work["baskets"], answer)


if __name__ == "__main__":
    main()
