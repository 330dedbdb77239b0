//! That nothing takes too long: a thread that looks on.

use std::io::Write;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::thread;
use std::time::{Duration, Instant};

/// What is being done, and since when.
type Now = Mutex<Option<(Instant, String)>>;

/// Ends the program, and says at what, where one thing takes longer than a limit: a test cannot interrupt itself.
///
/// The limit is a bound on endless loops and the like, not a measure of speed.
#[derive(Debug)]
pub struct Watch {
    now: Arc<Now>,
}

impl Watch {
    /// Looks on until it is dropped.
    pub fn new(limit: Duration) -> Self {
        let now = Arc::new(Now::default());
        let seen = Arc::downgrade(&now);
        thread::spawn(move || look_on(&seen, limit));
        Self { now }
    }

    /// Does `work`, which is called `name` if it takes too long.
    pub fn over<T>(&self, name: String, work: impl FnOnce() -> T) -> T {
        set(&self.now, Some((Instant::now(), name)));
        let result = work();
        set(&self.now, None);
        result
    }
}

fn set(now: &Now, to: Option<(Instant, String)>) {
    *now.lock().unwrap_or_else(PoisonError::into_inner) = to;
}

fn look_on(now: &Weak<Now>, limit: Duration) {
    while let Some(now) = now.upgrade() {
        if let Some(name) = overdue(&now, limit) {
            let _ = writeln!(std::io::stderr(), "takes more than {limit:?}: {name}");
            std::process::abort();
        }
        drop(now);
        thread::sleep(Duration::from_millis(50));
    }
}

fn overdue(now: &Now, limit: Duration) -> Option<String> {
    let now = now.lock().unwrap_or_else(PoisonError::into_inner);
    let (since, name) = now.as_ref()?;
    (since.elapsed() > limit).then(|| name.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_being_done_can_be_overdue() {
        let watch = Watch::new(Duration::from_secs(3_600));
        assert_eq!(overdue(&watch.now, Duration::ZERO), None);
        let found = watch.over("a file".into(), || {
            thread::sleep(Duration::from_millis(1));
            let early = overdue(&watch.now, Duration::from_secs(3_600));
            (early, overdue(&watch.now, Duration::ZERO))
        });
        assert_eq!(found, (None, Some("a file".into())));
        assert_eq!(overdue(&watch.now, Duration::ZERO), None);
    }
}
