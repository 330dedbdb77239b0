//! Whether memory is counted. Without a harness, as that allocates and frees on a thread of its own, and the count is of the whole
//! program.
#![expect(clippy::print_stdout, reason = "there is no harness to do so")]

use secateur_untrusted::{Memory, peak_of};

#[global_allocator]
static MEMORY: Memory = Memory {};

fn main() {
    // Runners that start each test by itself ask for its name first.
    let asked: Vec<String> = std::env::args().collect();
    if asked.iter().any(|a| a == "--list") {
        if !asked.iter().any(|a| a == "--ignored") {
            println!("memory_is_counted: test");
        }
        return;
    }
    let (bytes, peak) = peak_of(|| {
        drop(vec![1u8; 3 << 20]);
        vec![1u8; 1 << 20]
    });
    assert!(((3 << 20)..(4 << 20)).contains(&peak), "{peak}");
    drop(bytes);
    assert!(peak_of(|| ()).1 < 1 << 20);
    println!("memory_is_counted ... ok");
}
