"""Waiting times in figures."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from dashboard.grading import TIERS
from dashboard.viewing import theme
from dashboard.viewing.turnaround_figure import (
    LEAST_MINUTES,
    Wait,
    agreement_figure,
    daily_medians,
    summarise,
    waiting_figure,
)

DAY = datetime(2026, 1, 1, 3, tzinfo=UTC)


def test_tiers_stand_in_the_order_of_grading() -> None:
    assert list(theme.TIER_COLOURS) == [str(tier) for tier in TIERS]


def test_a_summary_holds_quartiles_by_tier() -> None:
    found = summarise([Wait("urgent", DAY, minutes) for minutes in (1, 2, 3, 4, 100)] + [Wait("soon", DAY, 7)])
    assert list(found) == ["urgent", "soon"]
    urgent = found["urgent"]
    assert (urgent.count, urgent.lower, urgent.median, urgent.upper, urgent.longest) == (5, 2, 3, 4, 100)


def test_medians_are_of_the_day_of_arrival() -> None:
    waits = [Wait("urgent", DAY + timedelta(days=1), 9), Wait("urgent", DAY, 2), Wait("urgent", DAY, 4)]
    assert list(daily_medians(waits).values()) == [3, 9]
    assert [day.day for day in daily_medians(waits)] == [1, 2]


def test_every_wait_is_drawn_with_a_sign_of_its_own() -> None:
    figure = waiting_figure([Wait("urgent", DAY, 0.0), Wait("soon", DAY, 5.0)])
    points = [trace for trace in figure.data if trace.mode == "markers"]
    assert [trace.name for trace in points] == ["urgent", "soon"]
    assert points[0].y[0] == LEAST_MINUTES
    assert points[0].marker.symbol != points[1].marker.symbol


@pytest.mark.parametrize("minutes", [(0.0,), (2.0, 3.0), (60.0,), (5.0, 50_000.0)])
def test_waits_that_are_alike_stand_between_two_named_times(minutes: tuple[float, ...]) -> None:
    axis = waiting_figure([Wait("soon", DAY, one) for one in minutes]).layout.yaxis
    low, high = axis.range
    assert any(low < np.log10(tick) <= np.log10(max(LEAST_MINUTES, min(minutes))) for tick in axis.tickvals)
    assert np.log10(max(LEAST_MINUTES, max(minutes))) < high
    assert sum(low < np.log10(tick) < high for tick in axis.tickvals) >= (1 if minutes[0] in (0.0, 60.0) else 2)


def test_the_table_keeps_rows_suggested_and_columns_read() -> None:
    table = np.zeros((6, 6), int)
    table[4, 5] = 3
    (heat,) = agreement_figure(table).data
    assert heat.z[4][5] == 3
    assert heat.text[4][5] == "3"
    with pytest.raises(IndexError):
        heat.text[6]
