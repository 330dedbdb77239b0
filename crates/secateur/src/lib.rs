//! Compress a neural network to the size that its data needs.
