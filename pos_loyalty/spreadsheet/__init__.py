"""Tables that people keep: members, cards, balances, gift cards and goods, out of CSV and XLSX and into them again."""
