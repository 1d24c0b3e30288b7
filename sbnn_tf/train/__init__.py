"""Callbacks that prune or rewire while a model trains, and what they are made of."""
