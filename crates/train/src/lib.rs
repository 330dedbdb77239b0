//! Trains a network under a penalty and removes dead units on the way.
