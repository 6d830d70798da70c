"""A shift against the host's own totals: what is missing, doubled or different is named, whatever the file looks like."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pytest

from pos_loyalty.cli.main import main
from pos_loyalty.till.model import VoidRequest
from pos_loyalty.till.returns_model import ReturnRequest
from tests.shop import Shop

DAY = "2026-11-21"


def run(shop: Shop, text: str | bytes, *more: str, day: str = DAY) -> tuple[int, Path]:
    path = shop.folder / "host.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return main(["reconcile", "--date", day, "--against", str(path), "--config", str(shop.config), *more]), path


def told(capsys: pytest.CaptureFixture[str]) -> list[str]:
    return capsys.readouterr().out.splitlines()


@pytest.fixture
def sold(shop: Shop) -> Shop:
    for name in ("a", "b", "c"):
        shop.sell(name)
    return shop


@pytest.mark.parametrize(
    "text",
    [
        "sale,total\na,270.00\nb,270.00\nc,270.00\n",
        "total;sale\n270,00;c\n270,00;a\n270;b\n",
        "sale\ttotal\tcashier\na\t270.00\tC7\n\nb\t270.00\tC7\nc\t270.00\tC7\n",
        "\ufeffsale;total\na;270.00\nb;270.00\nc;270.00\n",
        "till,sale,total\nT1,a,270.00\nT1,b,270.00\nT1,c,270.00\n",
        "total\n270.00\n270.00\n270.00\n",
        "count;total\n3;810,00\n",
    ],
)
def test_the_same_receipts_agree_however_they_are_written(
    sold: Shop, capsys: pytest.CaptureFixture[str], text: str
) -> None:  # fmt: skip
    assert run(sold, text)[0] == 0
    assert told(capsys) == ["2026-11-21: 3 receipts of 810.00 here, 3 of 810.00 at the host: all agree"]


def test_missing_doubled_and_different_receipts_are_named(sold: Shop, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(sold, "sale,total\na,270.00\na,270.00\nb,271.00\nx,5.00\n")[0] == 1
    assert told(capsys) == [
        "doubled: a 270.00 at the host",
        "different: b 270.00 here, 271.00 at the host",
        "missing here: x 5.00 at the host",
        "missing there: c 270.00 here",
        "2026-11-21: 3 receipts of 810.00 here, 4 of 816.00 at the host: 4 differences",
    ]


def test_receipt_numbers_name_them_too(sold: Shop, capsys: pytest.CaptureFixture[str]) -> None:
    numbers = [number for (number,) in sold.db.execute("SELECT receipt_no FROM sale ORDER BY sale_id")]
    rows = "".join(f"{number},270.00\n" for number in numbers[:2])
    assert run(sold, "receipt,total\n" + rows, "--json")[0] == 1
    answer = json.loads(capsys.readouterr().out)
    assert [(each["what"], each["receipt"]) for each in answer["differences"]] == [("missing there", numbers[2])]


def test_totals_alone_are_compared_by_number_and_sum(sold: Shop, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(sold, "total,count\n800.00,2\n")[0] == 1
    assert told(capsys)[:2] == ["count: 3 receipts here, 2 at the host", "sum: 810.00 here, 800.00 at the host"]


def test_of_one_till_alone_what_the_file_says_of_others_is_left_out(sold: Shop, capsys: pytest.CaptureFixture[str]) -> None:
    rows = "till,sale,total\nT1,a,270.00\nT1,b,270.00\nT2,a,5.00\nT1,c,270.00\nT2,z,9.00\n"
    assert run(sold, rows, "--till", "T1")[0] == 0
    assert told(capsys) == ["2026-11-21: 3 receipts of 810.00 here, 3 of 810.00 at the host: all agree"]
    assert run(sold, rows)[0] == 1, "of all tills it is compared whole"


def test_a_count_beside_a_receipt_is_no_number_of_receipts(sold: Shop, capsys: pytest.CaptureFixture[str]) -> None:
    """Exports of registers count goods there."""
    assert run(sold, "sale,total,count\na,270.00,2\nb,270.00,1.500\nc,270.00,1\n")[0] == 0
    assert told(capsys) == ["2026-11-21: 3 receipts of 810.00 here, 3 of 810.00 at the host: all agree"]


def test_a_sale_undone_on_its_day_is_none_and_later_it_comes_back(sold: Shop, capsys: pytest.CaptureFixture[str]) -> None:
    sold.till.void("a", VoidRequest(cashier="C7", reason="slip"), "k void a")
    assert run(sold, "sale,total\nb,270.00\nc,270.00\n")[0] == 0
    senior = sold.senior()
    sold.now += timedelta(days=1)
    sold.till.void("b", VoidRequest(cashier="C7", reason="slip", approval=senior), "k void b")
    assert run(sold, "sale,total\nb,270.00\nc,270.00\n")[0] == 0, "the day that the host closed stays as it was"
    assert run(sold, "sale,total\nb,-270.00\n", day="2026-11-22")[0] == 0
    capsys.readouterr()
    assert run(sold, "sale,total\nb,-200.00\n", day="2026-11-22")[0] == 1
    assert told(capsys)[0] == "different: b (back) -270.00 here, -200.00 at the host"


def test_goods_that_came_back_stand_below_nothing(sold: Shop, capsys: pytest.CaptureFixture[str]) -> None:
    sold.till.return_goods("c", ReturnRequest(return_id="r1", all=True, cashier="C7"), "k r1")
    whole = "sale,total\na,270.00\nb,270.00\nc,270.00\n"
    assert run(sold, whole)[0] == 0, "a file of sales alone is compared with sales alone"
    assert run(sold, whole + "r1,-270.00\n")[0] == 0
    capsys.readouterr()
    assert run(sold, whole + "r2,\u2212270,00\n")[0] == 1
    assert told(capsys)[:2] == ["missing here: r2 (back) -270.00 at the host", "missing there: r1 (back) -270.00 here"]


@pytest.mark.parametrize(
    "text",
    [
        "", "sum\n1\n", "sale\na\n", "sale,receipt,total\na,b,1.00\n", "sale,total,total\na,1,1\n", "sale,total\n,1.00\n",
        "sale,total\na,1.001\n", "sale,total\na,one\n", "sale,total\na,\n", "total,count\n1.00,-1\n", "total,count\n1.00,٣\n",
        b"\xff\xfe\x00", "sale,total\na,99999999999999999999.00\n",
    ],
)  # fmt: skip
def test_a_file_that_cannot_be_meant_is_refused_with_its_place(
    sold: Shop, capsys: pytest.CaptureFixture[str], text: str | bytes
) -> None:  # fmt: skip
    status, path = run(sold, text)
    assert status == 2
    assert str(path) in capsys.readouterr().err


def test_a_day_without_sales_and_a_missing_file(sold: Shop, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(sold, "sale,total\n", day="2026-11-20")[0] == 0
    assert main(["reconcile", "--date", DAY, "--against", "no.csv", "--config", str(sold.config)]) == 2
    for day in ("yesterday", "9999-12-31"):
        with pytest.raises(SystemExit):
            main(["reconcile", "--date", day, "--against", "no.csv"])
