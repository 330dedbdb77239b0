//! Generators, gradient checks and tiny models for the tests of the workspace.
