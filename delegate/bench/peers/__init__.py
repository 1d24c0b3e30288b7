"""Rivals in one run: other engines time the same network with the same zeros, turn by turn.

    make bench-peers

Each engine is a worker process of its own (`workers/`), in a virtual environment of its own
(`environment.py`), with a file of its own format made from the same `.tflite` (`graph.py`,
`rivals.py`). They take turns on one core (`measure.py`). An engine whose outputs are not those of
TensorFlow Lite is not timed. `record.py` draws the picture and writes the table.
"""
