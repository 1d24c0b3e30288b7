#!/bin/sh
# arm64_node.sh ARGUMENT...: Node for arm64, which SBNN_ARM64_NODE names, emulated: its engine compiles other instructions.
exec qemu-aarch64-static -L /usr/aarch64-linux-gnu -cpu max "$SBNN_ARM64_NODE" "$@"
