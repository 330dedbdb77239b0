//! Which instruction set do the kernels use on this machine?

/// The widest instruction set that the kernels use here; results may differ in the last bits between
/// machines of different sets.
pub fn instruction_set() -> &'static str {
    #[cfg(target_arch = "x86_64")]
    {
        if std::arch::is_x86_feature_detected!("avx512f") {
            return "x86-64 avx512";
        }
        if std::arch::is_x86_feature_detected!("avx2") && std::arch::is_x86_feature_detected!("fma")
        {
            return "x86-64 avx2";
        }
    }
    std::env::consts::ARCH
}
