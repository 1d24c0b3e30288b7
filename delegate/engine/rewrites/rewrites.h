// Changes to a graph or a program that leave what it computes and make it faster. Each has a file
// of its own.
#ifndef SBNN_DELEGATE_ENGINE_REWRITES_REWRITES_H_
#define SBNN_DELEGATE_ENGINE_REWRITES_REWRITES_H_

#include <cstdint>

#include "delegate/engine/graph.h"
#include "delegate/engine/program.h"

namespace sbnn {

// By the graph alone, once.

// Hands the zeros of a PAD to the operator that reads it, if there is just one and it can take
// them.
void AbsorbMargins(Graph* graph);

// Makes one operator of each pair of x -> logistic(x) -> x * logistic(x).
void MakeSwishes(Graph* graph);

// For the shapes at hand, in this order.

// Makes one operator of each RESHAPE, TRANSPOSE and RESHAPE that shuffle the channels of images.
void MakeShuffles(Program* program);

// Lets operators read what is reshaped before them, or write what is reshaped behind them.
void JoinReshapes(Program* program);

// Makes one operator of each product whose left factor is the softmax of another product, and of
// the exchanges of dimensions around them.
void MakeAttentions(Program* program);

// Lets operators do as an epilogue what the only reader of their output does: each saves a pass
// over memory.
void FuseEpilogues(Program* program);

// Lets convolutions take over the products of their inputs' channels with factors, as in
// squeeze-and-excitation (Hu et al., "Squeeze-and-Excitation Networks", 2018).
void FoldGates(Program* program);

// Decides which steps compute in float16, if that is allowed and there are kernels, and puts a
// conversion wherever a tensor is made in one type and read in the other. Inputs and results that
// are floats are float32; what is quantized stays as it is.
void ChooseTypes(const Kernels& kernels, bool allow_fp16, Op* convert, Program* program);

// Decides the layout of each image of int8, the one that those who make and read it want most, and
// puts a change of layout where one of them can't have it.
void ChooseLayouts(Op* relayout, Program* program);

// Makes chains of steps that had better hand on what does not fit a cache of so many bytes.
void MakeChains(uint64_t cache_bytes, Program* program);

}  // namespace sbnn

#endif  // SBNN_DELEGATE_ENGINE_REWRITES_REWRITES_H_
