"""Models in TensorFlow Lite with the delegate: load, verify, time."""
