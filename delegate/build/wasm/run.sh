#!/bin/sh
# run.sh PROGRAM ARGUMENT...: runs a program of WebAssembly in Node, or the one that SBNN_NODE names.
exec "${SBNN_NODE:-node}" --no-warnings delegate/build/wasm/run.mjs "$@"
