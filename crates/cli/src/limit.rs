//! What a run may take, and what ends it before its end.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use secateur::{Error, Result};

use crate::args::{LimitFlags, OutputFlags};
use crate::interrupt;
use crate::progress::Stop;

/// What the flags of limits say.
pub(crate) struct Limit {
    time: Option<Duration>,
    /// Bytes.
    pub(crate) memory: Option<u64>,
}

impl Limit {
    /// # Errors
    /// Names the flag that cannot be read.
    pub(crate) fn new(flags: &LimitFlags) -> Result<Self> {
        Ok(Self {
            time: flags.time.as_deref().map(duration).transpose()?,
            memory: flags.memory.as_deref().map(bytes).transpose()?,
        })
    }

    /// Looks out for signals and the time from now on.
    ///
    /// # Errors
    /// If signals cannot be watched for.
    pub(crate) fn watch(&self) -> Result<Watch> {
        Ok(Watch {
            asked: interrupt::watch()?,
            begin: Instant::now(),
            time: self.time,
            stopped: None,
        })
    }
}

/// Tells when a run is to stop.
pub(crate) struct Watch {
    asked: Arc<AtomicBool>,
    begin: Instant,
    time: Option<Duration>,
    stopped: Option<Stop>,
}

impl Watch {
    /// Why the run is to stop now, if it is.
    pub(crate) fn stop(&mut self) -> Option<Stop> {
        let asked = self.asked.load(Ordering::Relaxed).then_some(Stop::Asked);
        let late = self.time.filter(|&time| self.begin.elapsed() >= time);
        let now = asked.or(late.map(|_| Stop::Time));
        self.stopped = now.or(self.stopped);
        now
    }

    /// Why it was to stop, if it ever was.
    pub(crate) fn stopped(&self) -> Option<Stop> {
        self.stopped
    }
}

/// Nothing may be asked anew of what goes on; `is_plain` if no flag says what it is.
///
/// # Errors
/// If a flag does.
pub(crate) fn refuse_flags(is_plain: bool, output: &OutputFlags) -> Result<()> {
    if is_plain && output.out.is_none() && !output.force {
        return Ok(());
    }
    Err(Error::usage("a run goes on as it was begun")
        .at("--resume")
        .hint("leave out all flags but --time, --memory, --quiet and --json"))
}

pub(crate) fn bytes(text: &str) -> Result<u64> {
    secateur::bytes_of(text).ok_or_else(|| {
        Error::usage(format!("`{text}` is no number of bytes"))
            .at("--memory")
            .hint("give a number with a unit, such as 500MB or 2GiB")
    })
}

fn duration(text: &str) -> Result<Duration> {
    humantime::parse_duration(text).map_err(|e| {
        Error::usage(format!("`{text}`: {e}"))
            .at("--time")
            .hint("give a number with a unit, such as 90s, 20m or 8h")
    })
}
