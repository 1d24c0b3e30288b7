"""Makes the helpers beside it (models.py) importable from the tests; keeps logs short."""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
