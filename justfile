# What developers and .ci/run call. CI runs `check`; recipes below `bench` need a nightly compiler.

set shell := ["bash", "-euo", "pipefail", "-c"]

# All that must hold, cheapest first; the tools are in .ci/requirements.txt and scripts/requirements.txt
check: fmt typos deny lint test doc examples first-run halves tests-page mutants-changed

# Is everything formatted?
fmt:
    cargo fmt --all --check

# Is everything spelt right?
typos:
    typos

# Are licences and sources of dependencies acceptable, and is each used only where it may be?
deny:
    if command -v cargo-deny > /dev/null; then \
        cargo deny --locked check licenses bans sources; \
    else \
        echo "skipped: cargo-deny is not installed (.ci/run does so)"; \
    fi

# Does clippy find anything?
lint:
    cargo clippy --workspace --all-targets --locked -- -D warnings

# The README's test command
test:
    grep -qxF 'cargo test --workspace' README.md
    cargo test --workspace --locked

# Does the documentation build, with every link in it?
doc:
    RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --locked

# Runs every example of every crate
examples:
    cargo build --workspace --examples --locked
    for file in crates/*/examples/*.rs; do \
        echo "$file"; \
        "${CARGO_TARGET_DIR:-target}/debug/examples/$(basename "$file" .rs)" > /dev/null; \
    done

# The README's first command, and whether other programs read what it writes
first-run:
    grep -qxF 'cargo run --release -- compress --data digits' README.md
    folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT; \
        cargo run --release --locked -- compress --data digits --out "$folder/run"; \
        python .ci/check_run.py "$folder/run" crates/data/embedded/digits.csv.gz; \
        python scripts/check_onnx.py "$folder/run/small.onnx"

# Does ONNX Runtime find halves of networks exported from PyTorch or built by hand valid, and equal to the masked networks?
halves:
    cargo build --release --locked -p secateur-cli
    python .ci/check_halves.py "${CARGO_TARGET_DIR:-target}/release/secateur" --known .ci/halves_that_fail \
        crates/secateur/tests/fixtures/torch crates/secateur/tests/fixtures/structures crates/secateur/tests/fixtures/built

# Is docs/tests.md what its runs say?
tests-page:
    python scripts/tests_page.py --check

# Does a test notice each change that cargo-mutants makes to the lines that changed of late? Stops after so many minutes
mutants-changed minutes="8":
    if command -v cargo-mutants > /dev/null && command -v cargo-nextest > /dev/null; then \
        CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-$PWD/target}" python scripts/mutants.py changed --minutes {{ minutes }}; \
    else \
        echo "skipped: cargo-mutants or cargo-nextest is not installed (.ci/run does so)"; \
    fi

# Which changes of a file or folder, as it is now, does no test of its crate notice? (`just mutants crates/secateur/src/verify.rs`)
mutants path *flags:
    path={{ quote(path) }}; [[ ! -d "$path" ]] || path="${path%/}/**"; \
        cargo mutants --workspace --file "$path" {{ flags }}

# Does a test notice each fault of scripts/faults, planted by itself? (`just faults`, `just faults latency`)
faults *phrases:
    scripts/faults.py {{ phrases }}; scripts/tests_page.py

# How fast are a training step and the fused update? For a quiet machine; CI does not run it
bench:
    cargo bench --locked -p secateur-graph -p secateur -p secateur-engine -p secateur-train

# Trains and compresses here and with peers, for docs/peers.md (`just peers --works mlp-128`); for a quiet machine, hours long
peers *flags:
    [[ -d .venv-peers ]] || python3 -m venv .venv-peers
    .venv-peers/bin/pip install --quiet --requirement peers/requirements.txt
    cargo build --release --locked -p secateur-cli
    .venv-peers/bin/python peers/run.py --binary "${CARGO_TARGET_DIR:-target}/release/secateur" {{ flags }}

# A minute of each fuzz target (`just fuzz 10`: ten seconds); needs a nightly compiler and cargo-fuzz
fuzz seconds="60":
    if rustc +nightly --version > /dev/null 2>&1 && cargo fuzz --version > /dev/null 2>&1; then \
        for target in $(cargo fuzz list); do \
            seeds="fuzz/seeds/$target"; \
            [[ -d "$seeds" ]] || seeds="crates/secateur/tests/fixtures/hostile crates/onnx/tests/fixtures"; \
            mkdir -p "fuzz/found/$target" "fuzz/corpus/$target"; \
            echo "$target for {{ seconds }} s"; \
            cargo +nightly fuzz run "$target" "fuzz/found/$target" "fuzz/corpus/$target" $seeds -- \
                -max_total_time={{ seconds }} -timeout=10 -rss_limit_mb=2048 -print_final_stats=1; \
        done; \
    else \
        echo "skipped: no nightly compiler, or no cargo-fuzz (cargo install cargo-fuzz)"; \
    fi

# Keeps of what `just fuzz` found the fewest files that reach as much, at most the 64 smallest of them for a target
fuzz-keep:
    for target in $(cargo fuzz list); do \
        kept=$(mktemp -d); mkdir -p "fuzz/found/$target" "fuzz/corpus/$target"; \
        cargo +nightly fuzz run "$target" "$kept" "fuzz/corpus/$target" "fuzz/found/$target" -- -merge=1; \
        rm -r "fuzz/corpus/$target"; mkdir "fuzz/corpus/$target"; \
        (cd "$kept"; ls -Sr | head -n 64) | xargs -r -I '{}' mv "$kept/{}" "fuzz/corpus/$target"; \
        rm -r "$kept"; \
    done

# Undefined behaviour in the crates without unsafe code, by what they depend on: their unit tests under Miri
miri:
    if cargo +nightly miri --version > /dev/null 2>&1; then \
        PROPTEST_CASES=2 MIRIFLAGS="-Zmiri-disable-isolation -Zmiri-deterministic-floats" \
            cargo +nightly miri test --locked -p secateur-prox -p secateur-onnx -p secateur-graph --lib; \
    else \
        echo "skipped: Miri is not installed (rustup component add miri --toolchain nightly)"; \
    fi

# Memory that the engine must not touch: its tests under the address sanitizer
asan: (sanitized "address")

# Races of the engine: its tests under the thread sanitizer
tsan: (sanitized "thread")

[private]
sanitized which:
    if [[ -d "$(rustc +nightly --print sysroot 2> /dev/null)/lib/rustlib/src" ]]; then \
        RUSTFLAGS="-Zsanitizer={{ which }}" CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-target}/{{ which }}" \
            cargo +nightly test --locked -Zbuild-std --target "$(rustc +nightly -vV | sed -n 's/^host: //p')" \
            -p secateur-engine --lib --tests; \
    else \
        echo "skipped: no nightly compiler with its sources (rustup component add rust-src --toolchain nightly)"; \
    fi
