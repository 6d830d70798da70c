"""zen-engine (Rust core): one decision table over the lines, every row that matches with its amount, collected."""

import json
from importlib.metadata import version
from typing import Any

import zen
from common_peer import read_work, report, total_of

COLUMNS = {"skus": "sku", "cats": "cat", "brands": "brand"}
PERCENTS = ("pct", "pct_brand", "pct_sku", "points", "threshold")


def row_of(rule: dict[str, Any]) -> dict[str, str]:
    """A rule as a row of the table; an empty cell asks nothing."""
    cells = {field: ", ".join(json.dumps(name) for name in rule.get(kind, ())) for kind, field in COLUMNS.items()}
    row = {"_id": str(rule["id"]), **cells}
    row["tier"] = f">= {rule['tier']}" if rule["tier"] else ""
    row["total"] = f">= {rule['min_amount']}" if rule.get("min_amount") else ""
    row["rule"] = str(rule["id"])
    row["amount"] = f"price * qty * {rule['bp']} / 10000" if rule["kind"] in PERCENTS else "price"
    return row


def decision_of(rules: list[dict[str, Any]]) -> str:
    """The decision: request, the table run for each line, response."""
    inputs = [{"id": field, "name": field, "field": field} for field in (*COLUMNS.values(), "tier", "total")]
    outputs = [{"id": field, "name": field, "field": field} for field in ("rule", "amount")]
    table = {
        "hitPolicy": "collect",
        "executionMode": "loop",
        "inputField": "lines",
        "outputPath": "hits",
        "passThrough": False,
        "inputs": inputs,
        "outputs": outputs,
        "rules": [row_of(rule) for rule in rules],
    }
    nodes = [
        {"id": "in", "type": "inputNode", "name": "in", "position": {"x": 0, "y": 0}, "content": {}},
        {"id": "table", "type": "decisionTableNode", "name": "table", "position": {"x": 1, "y": 0}, "content": table},
        {"id": "out", "type": "outputNode", "name": "out", "position": {"x": 2, "y": 0}, "content": {}},
    ]
    edges = [
        {"id": f"{one}-{other}", "type": "edge", "sourceId": one, "targetId": other}
        for one, other in (("in", "table"), ("table", "out"))
    ]
    return json.dumps({"contentType": "application/vnd.gorules.decision", "nodes": nodes, "edges": edges})


def asked_of(basket: dict[str, Any]) -> dict[str, Any]:
    """Each line with what the table asks of the receipt."""
    total = total_of(basket)
    return {"lines": [{**line, "tier": basket["tier"], "total": total} for line in basket["lines"]]}


def main() -> None:
    """Match and report."""
    work = read_work()
    decision = zen.ZenEngine().create_decision(decision_of(work["rules"]))

    def answer(asked: dict[str, Any]) -> int:
        found = decision.evaluate(asked)["result"]["hits"]
        return len({hit["rule"] for hits in found for hit in hits})

    report(version("zen-engine"), work, [asked_of(basket) for basket in work["baskets"]], answer)


if __name__ == "__main__":
    main()
