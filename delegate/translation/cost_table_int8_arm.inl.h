// python -m delegate.bench.arm.int8_rates
