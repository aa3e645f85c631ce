"""Choosing among methods by years they had not seen."""

import numpy as np
import pytest

from cropcredit.agronomy.choice import choose
from cropcredit.agronomy.models import Candidate

GOOD, OTHER = Candidate("mixed"), Candidate("integral", "average")
YEAR = np.repeat(np.arange(2000, 2010), 6)


def world(*, apart: float):
    """Yields, and two guesses whose errors are independent; the second errs ``apart`` times as much."""
    rng = np.random.default_rng(1)
    t_ha = rng.uniform(2, 6, len(YEAR))
    return t_ha, {
        "average": np.full(len(YEAR), 40.0),
        GOOD: t_ha + rng.normal(0, 0.3, len(YEAR)),
        OTHER: t_ha + rng.normal(0, 0.3 * apart, len(YEAR)),
    }


def chosen(t_ha, guesses):
    found = choose(t_ha, YEAR, guesses)
    assert found is not None
    return found


def test_one_good_method_is_used_alone():
    t_ha, guesses = world(apart=8)

    choice, honest = chosen(t_ha, guesses)

    assert choice.weights == ((GOOD, 1.0),)
    assert str(choice) == "mixed model"
    np.testing.assert_array_equal(honest, guesses[GOOD])


def test_two_that_err_apart_are_stacked_because_their_mean_errs_less():
    t_ha, guesses = world(apart=1)

    choice, honest = chosen(t_ha, guesses)
    weights = dict(choice.weights)

    assert weights[GOOD] == pytest.approx(0.5, abs=0.2)
    assert sum(weights.values()) == pytest.approx(1)
    assert np.sqrt(np.mean((honest - t_ha) ** 2)) < 0.27
    np.testing.assert_allclose(choice.of(guesses), sum(w * guesses[m] for m, w in weights.items()))
    assert "mixed model + " in str(choice)


def test_the_year_that_is_guessed_has_no_say_in_the_weights():
    t_ha, guesses = world(apart=1)
    lied = np.where(YEAR == 2003, 1.1 * t_ha, t_ha)

    before, after = (chosen(labels, guesses)[1] for labels in (t_ha, lied))

    np.testing.assert_allclose(before[YEAR == 2003], after[YEAR == 2003])
    assert not np.allclose(before[YEAR != 2003], after[YEAR != 2003])


def test_baselines_alone_leave_nothing_to_choose():
    t_ha, guesses = world(apart=1)

    assert choose(t_ha, YEAR, {"average": guesses["average"]}) is None
