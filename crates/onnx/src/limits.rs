//! How much memory and depth a file may ask for before it is refused.

/// Bounds on what [`crate::read`] accepts, checked before anything is allocated for it.
///
/// The numbers of a tensor need no bound of their own: they take no more than a constant times the
/// bytes that hold them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of the whole file. The format itself ends at 2^31 - 1.
    pub max_bytes: usize,
    /// Bytes of data in other files, all tensors together: several may name the same part of a file.
    pub max_external_bytes: u64,
    /// Messages inside messages, each a step of recursion. A subgraph in a node takes three.
    pub max_nesting: u32,
    /// Bytes of memory for the slots of repeated messages, strings and byte fields, across the
    /// file: two bytes of file can ask for a slot of hundreds.
    pub max_slot_bytes: usize,
    /// Fields that the schema does not know, across the file.
    pub max_unknown_fields: usize,
}

impl Default for Limits {
    /// Room for any file the format allows with some hundred thousand nodes and 32 GiB beside it, and no more.
    fn default() -> Self {
        Self {
            max_bytes: 0x7FFF_FFFF,
            max_external_bytes: 32 << 30,
            max_nesting: 100,
            max_slot_bytes: 256 << 20,
            max_unknown_fields: 1_000_000,
        }
    }
}
