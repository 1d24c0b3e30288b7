#!/bin/sh
# The kernels of AVX-VNNI run on CPUs without AVX-512: its products are in VEX's encoding, and no
# instruction is in EVEX's. Arguments: their object files.
set -eu

instructions=$(mktemp)
trap 'rm -f "$instructions"' EXIT
objdump --disassemble --no-addresses "$@" | sed -nE 's/^\t(([0-9a-f]{2} )+) *\t([^#]*).*/\1\t\3/p' > "$instructions"

fail() {
  echo "$1" >&2
  exit 1
}

products=$(grep -c 'vpdpbusd' "$instructions" || true)
[ "$products" -ge 100 ] || fail "expected 100 products or more, found $products"
[ "$(grep -c '{vex} vpdpbusd' "$instructions")" = "$products" ] ||
  fail "products that are not in VEX's encoding"
# (In 64-bit code nothing else begins with this byte.)
if grep -E '^62 ' "$instructions" | head -n 3 | grep .; then fail "instructions in EVEX's encoding"; fi
if grep -E "zmm|mm(1[6-9]|[23][0-9])|\(bad\)" "$instructions" | head -n 3 | grep .; then
  fail "registers that only AVX-512 has"
fi
echo "$products products"
