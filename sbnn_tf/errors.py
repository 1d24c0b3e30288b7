"""The one error class for files and formats that this package cannot accept."""


class SbnnError(ValueError):
    """A model, file or option that cannot be used; the message says what to do about it."""
