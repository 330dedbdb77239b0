//! Channels by blocks of a length that the compiler knows.

/// Evaluates `$call` with the largest `$block` that divides the channels: so many are taken together, whose numbers stay in
/// registers and whose loops have no ends of another length.
macro_rules! by_block {
    ($pixel:expr, $block:ident => $call:expr) => {
        match $pixel {
            pixel if pixel % 16 == 0 => {
                const $block: usize = 16;
                $call
            }
            pixel if pixel % 8 == 0 => {
                const $block: usize = 8;
                $call
            }
            pixel if pixel % 4 == 0 => {
                const $block: usize = 4;
                $call
            }
            _ => {
                const $block: usize = 1;
                $call
            }
        }
    };
}

pub(crate) use by_block;
