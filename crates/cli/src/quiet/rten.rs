//! Stands for the independent runtime: a panic is told from others by the name of its file.

pub(super) fn panics() {
    panic!("of a test");
}
