"""What is claimed of the error of a curve, against skies whose truth is known."""

from __future__ import annotations

import numpy as np
import pytest

from cropcredit.agronomy import smooth
from cropcredit.agronomy.uncertainty import EDGE_SD, LOOK_SD, MOST_SD, curve_sd, days_since_last
from tests.unit.agronomy import skies


def looked_on(days, length=100):
    observed = np.zeros((1, length), dtype=bool)
    observed[0, days] = True
    return observed


def test_the_error_grows_with_the_days_since_the_last_look_up_to_what_any_index_spreads():
    sd = curve_sd(looked_on([10, 20, 30]))[0]

    assert sd[20] == LOOK_SD
    assert sd[30] == sd[10] == EDGE_SD
    assert (np.diff(sd[30:]) >= 0).all()
    assert sd[-1] == MOST_SD


def test_between_two_looks_it_is_greatest_in_the_middle():
    sd = curve_sd(looked_on([0, 20, 60, 80]))[0]

    assert sd[20:61].argmax() == 20
    assert sd[40] > sd[30] > sd[20]


def test_a_field_never_seen_may_be_anything():
    assert (curve_sd(looked_on([])) == MOST_SD).all()
    assert np.isnan(days_since_last(looked_on([]))).all()


@pytest.fixture(scope="module")
def edges():
    """Error, claimed sd and gap at the last day of curves cut all over the growing season."""
    rng, found = np.random.default_rng(11), []
    for cloud in (0.5, 0.75):
        for grow in (skies.one_season, skies.wheat_then_maize):
            for last in rng.integers(130, 360, 20):
                truth = grow(60, rng)
                looks = skies.look(truth, rng, cloud=cloud)
                curves = smooth(looks.mean, looks.clear, looks.dates, until=skies.FIRST + last)
                error = curves.values[:, -1] - truth[:, last]
                found.append(np.stack([error, curves.sd[:, -1], curves.days_since_last_clear]))
    error, sd, gap = np.concatenate(found, axis=1)
    return error, sd, gap


def test_nine_edges_of_ten_lie_within_the_interval_that_the_error_promises(edges):
    error, sd, _ = edges

    assert 0.86 <= (np.abs(error) <= 1.645 * sd).mean() <= 0.95


@pytest.mark.parametrize(("least", "most"), [(0, 3), (3, 8), (8, 16), (16, 28), (28, 50)])
def test_the_promised_error_is_the_one_made_whatever_the_gap(edges, least, most):
    error, sd, gap = edges
    here = (gap >= least) & (gap < most)

    made, promised = (float(np.sqrt(np.mean(x[here] ** 2))) for x in (error, sd))
    print(f"{least} to {most} days: error {made:.3f}, promised {promised:.3f}")  # noqa: T201
    assert 0.75 <= made / promised <= 1.3


def test_between_looks_too():
    rng = np.random.default_rng(12)
    truth = skies.one_season(300, rng)
    looks = skies.look(truth, rng, cloud=0.75)
    curves = smooth(looks.mean, looks.clear, looks.dates)
    season = slice(150, 340)

    error, sd = (curves.values - truth[:, :361])[:, season], curves.sd[:, season]

    assert 0.86 <= (np.abs(error) <= 1.645 * sd).mean() <= 0.97
