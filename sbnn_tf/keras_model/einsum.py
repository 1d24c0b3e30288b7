"""The equation of an EinsumDense, as a product with one matrix."""

from __future__ import annotations


class Equation:
    """What an equation such as "abc,cde->abde" does with the axes of its kernel.

    Attributes:
      inputs: axes of the kernel that are summed over, in the order in which the input has them.
      outputs: axes of the kernel that the output has from nowhere else, in the kernel's order.
        TensorFlow Lite stores the matrix like that: so groups of outputs are neighbours there.
      is_matrix: whether that is all: no axis belongs to a batch of matrices.
    """

    def __init__(self, text: str):
        operands, output = text.replace(" ", "").replace(".", "").split("->")
        data, self._kernel = operands.split(",")
        self._output = output
        kernel = self._kernel
        self.inputs = [kernel.index(axis) for axis in data if axis in kernel and axis not in output]
        self.outputs = [i for i, axis in enumerate(kernel) if axis in output and axis not in data]
        total = len(self.inputs) + len(self.outputs)
        self.is_matrix = bool(self.inputs and self.outputs) and total == len(kernel)

    def channel_axis(self, rank: int) -> int | None:
        """Which axis of an output of that rank the kernel's outputs are; None if they are several.

        Axes that the equation writes as "..." come first there.
        """
        if len(self.outputs) != 1:
            return None
        return rank - len(self._output) + self._output.index(self._kernel[self.outputs[0]])
