//! Tables of numbers from files: readers, splits and standardisation.
