"""cropcredit lends to smallholders on what can be seen and measured."""

__version__ = "0.1.0"
