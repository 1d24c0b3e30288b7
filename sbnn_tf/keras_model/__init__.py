"""What a Keras model holds: its kernels, how its layers are wired, tables and pictures of it."""
