"""Figures written in a wrong form: what is wrong is said before how to write it."""

from __future__ import annotations

from typing import Any

import pytest

from pos_loyalty.engine.figures import MoneyFigure, MultiplierFigure, PointsFigure, PointsRateFigure, RateFigure, reader

NEGATIVE, COMMA = "it may not be negative; ", "the decimal sign is a point, not a comma; "


def at_most(digits: int) -> str:
    return f"at most {digits} digits stand after the point; "


@pytest.mark.parametrize(
    ("kind", "exponent", "text", "sentence"),
    [
        (MoneyFigure, 2, "10.005", f'is not money: {at_most(2)}write it such as "150.00"'),
        (MoneyFigure, 3, "10.0055", f'is not money: {at_most(3)}write it such as "15.000"'),
        (MoneyFigure, 0, "10.5", 'is not money: no digits stand after the point; write it such as "150"'),
        (MoneyFigure, 2, "10,50", f'is not money: {COMMA}write it such as "150.00"'),
        (MoneyFigure, 2, "-10", f'is not money: {NEGATIVE}write it such as "150.00"'),
        (MoneyFigure, 2, "−10.00", f'is not money: {NEGATIVE}write it such as "150.00"'),
        (MoneyFigure, 2, "1e3", 'is not money: write it such as "150.00"'),
        (RateFigure, 2, "7.125%", f'is not a rate: {at_most(2)}write it such as "7.5%"'),
        (RateFigure, 2, "7,5%", f'is not a rate: {COMMA}write it such as "7.5%"'),
        (RateFigure, 2, "-5%", f'is not a rate: {NEGATIVE}write it such as "7.5%"'),
        (RateFigure, 2, "7", 'is not a rate: write it such as "7.5%"'),
        (PointsRateFigure, 2, "7.125%", f'is not a rate: {at_most(2)}write it such as "7.5%"'),
        (PointsFigure, 3, "0.505", f'is not points: {at_most(2)}write them such as "1" or "0.5"'),
        (PointsFigure, 2, "-1", f'is not points: {NEGATIVE}write them such as "1" or "0.5"'),
        (MultiplierFigure, 2, "1,5", f'is not a multiplier: {COMMA}write one from "0" to "100"'),
    ],
)
def test_a_figure_in_a_wrong_form_is_told_what_is_wrong(kind: type[Any], exponent: int, text: str, sentence: str) -> None:
    with pytest.raises(ValueError) as caught:
        reader(exponent)(kind, text)
    assert str(caught.value) == f'"{text}" {sentence}'
