# What developers and .ci/run call. CI runs `check`, which is every recipe here but `bench`.

set shell := ["bash", "-euo", "pipefail", "-c"]

# All that must hold, cheapest first; the tools are in .ci/requirements.txt and scripts/requirements.txt
check: fmt typos deny lint test doc examples first-run halves

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

# Does ONNX Runtime find halves of networks exported from PyTorch valid, and equal to the masked networks?
halves:
    cargo build --release --locked -p secateur-cli
    python .ci/check_halves.py "${CARGO_TARGET_DIR:-target}/release/secateur" crates/secateur/tests/fixtures/torch

# How fast are a training step and the fused update? For a quiet machine; CI does not run it
bench:
    cargo bench --locked -p secateur-graph -p secateur -p secateur-engine -p secateur-train
