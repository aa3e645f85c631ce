from __future__ import annotations

import inspect
import re

from cropcredit import errors


def test_every_error_and_warning_stands_in_the_drawn_tree():
    drawn = re.findall(r"^ *[*+-] (\w+)", errors.__doc__ or "", re.MULTILINE)
    defined = [name for name, kind in inspect.getmembers(errors, inspect.isclass) if kind.__module__ == errors.__name__]
    assert sorted(drawn) == sorted(defined)


def test_an_error_says_where_what_and_the_cure_and_keeps_its_facts():
    error = errors.UnknownName("crop", "whaet", ("wheat", "maize"), where="plantings.csv row 3")
    assert str(error) == "plantings.csv row 3: unknown crop 'whaet'; known: wheat, maize"
    assert (error.kind, error.name, error.known) == ("crop", "whaet", ("wheat", "maize"))


def test_parts_that_are_not_known_leave_no_trace():
    assert str(errors.RefusedInput("is empty")) == "is empty"
    assert str(errors.CRSMismatch("EPSG:4326", "EPSG:32650")) == (
        "coordinate systems differ: EPSG:4326 against EPSG:32650; reproject one first"
    )
