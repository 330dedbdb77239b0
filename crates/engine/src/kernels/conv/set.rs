//! Which instruction sets the machine has, and the way into code for each.

#[cfg(target_arch = "x86_64")]
use std::arch::x86_64::{__m256, __m512};

use super::vector::{Plain, Vector, Work};

/// An instruction set that this machine has: the proof that code for it may run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InstructionSet(Kind);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    #[cfg(target_arch = "x86_64")]
    Avx512,
    #[cfg(target_arch = "x86_64")]
    Avx2,
    Portable,
}

impl InstructionSet {
    /// All that this machine has, the widest first.
    pub fn available() -> Vec<Self> {
        let mut found = Vec::new();
        #[cfg(target_arch = "x86_64")]
        {
            let avx2 = is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma");
            if avx2 && is_x86_feature_detected!("avx512f") {
                found.push(Self(Kind::Avx512));
            }
            if avx2 {
                found.push(Self(Kind::Avx2));
            }
        }
        found.push(Self(Kind::Portable));
        found
    }

    /// The widest that this machine has.
    pub fn widest() -> Self {
        Self::available()[0]
    }

    /// Floats that a vector holds.
    pub fn lanes(self) -> usize {
        match self.0 {
            #[cfg(target_arch = "x86_64")]
            Kind::Avx512 => 16,
            #[cfg(target_arch = "x86_64")]
            Kind::Avx2 => 8,
            Kind::Portable => Plain::LANES,
        }
    }

    /// Runs `work`, compiled for the instruction set.
    ///
    /// # Safety
    /// All pointers of the work must be valid for what it reads and writes.
    #[expect(unsafe_code, reason = "the set was looked for when the value was made")]
    pub(super) unsafe fn run<W: Work>(self, work: &W) {
        // SAFETY: a value exists only where the processor has the set; pointers are the caller's promise.
        unsafe {
            match self.0 {
                #[cfg(target_arch = "x86_64")]
                Kind::Avx512 => __m512::enter(work),
                #[cfg(target_arch = "x86_64")]
                Kind::Avx2 => __m256::enter(work),
                Kind::Portable => Plain::enter(work),
            }
        }
    }
}
