//! Keeps the independent runtime from printing.

use std::panic::{self, Location};

/// What the independent runtime panics about is told as its refusal, so it is not printed besides.
pub(crate) fn runtime() {
    let usual = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        let place = info.location().map_or("", Location::file);
        if !place.contains("rten") {
            usual(info);
        }
    }));
}

#[cfg(test)]
mod rten;

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[test]
    fn panics_of_the_runtime_alone_are_not_printed() {
        static PRINTED: AtomicUsize = AtomicUsize::new(0);
        let before = panic::take_hook();
        panic::set_hook(Box::new(|info| {
            // Other tests may panic meanwhile.
            let text = info.payload_as_str().unwrap_or_default();
            PRINTED.fetch_add(
                usize::from(text.starts_with("of a test")),
                Ordering::Relaxed,
            );
        }));
        runtime();
        let printed = |work: fn()| {
            assert!(panic::catch_unwind(work).is_err());
            PRINTED.load(Ordering::Relaxed)
        };
        assert_eq!(printed(rten::panics), 0);
        assert_eq!(printed(|| panic!("of a test, too")), 1);
        panic::set_hook(before);
    }
}
