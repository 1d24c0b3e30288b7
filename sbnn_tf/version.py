"""The one place where the version stands; setup.py and the delegate read it from here."""

__version__ = "0.1.0"
