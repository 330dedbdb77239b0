//! Penalties on groups of weights and their proximal operators.
