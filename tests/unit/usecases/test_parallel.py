"""The same work on several processors: results, errors and their facts come back."""

import copy

import pytest

from cropcredit.errors import CRSMismatch, MissingCRS, UnknownName, UnknownRecord
from cropcredit.usecases.parallel import InProcesses


def test_results_come_back_from_other_processes():
    assert sorted(InProcesses(2)(abs, [-1, -2, -3])) == [1, 2, 3]


def test_an_error_in_another_process_stops_the_work():
    with pytest.raises(ValueError, match="invalid literal"):
        list(InProcesses(2)(int, ["1", "one"]))


@pytest.mark.parametrize(
    "error",
    [
        MissingCRS("no CRS", where="a.tif", cure="write one"),
        CRSMismatch("EPSG:1", "EPSG:2", where="a.tif"),
        UnknownName("product", "landsat", ("s2-l2a",)),
        UnknownRecord("field", "f1"),
    ],
)
def test_an_error_travels_with_all_its_facts(error):
    """Copying goes the way of travelling: by what ``__reduce__`` gives."""
    back = copy.copy(error)
    assert (type(back), str(back), back.__dict__) == (type(error), str(error), error.__dict__)
