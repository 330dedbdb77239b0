//! Runs and differentiates a network graph on the CPU.
