//! How far is a path? As a run's, with a line for each point that is reached.

use secateur::Event;
use secateur::path::{Leg, PathPoint, PathProgress};

use super::{Display, Manner, Stop, is_due};
use crate::output::note;

impl Display {
    /// Shows what a path tells.
    pub(crate) fn show_path(&mut self, progress: &PathProgress<'_>) {
        match progress {
            PathProgress::Loaded {
                plan,
                prepared,
                macs,
            } => self.loaded(plan, prepared, *macs),
            PathProgress::Train { leg, event } => self.leg(*leg, event),
            PathProgress::Reached(point) => self.reached(point),
        }
    }

    /// Says once that the path is being cut short.
    pub(crate) fn stopping_path(&mut self, why: Stop) {
        if !self.stopping && self.manner != Manner::Silent {
            let text = match why {
                Stop::Asked => {
                    "interrupted: writing the points so far; a second time gives them up"
                }
                Stop::Time => "out of time: writing the points so far",
            };
            self.bar.suspend(|| note(text));
        }
        self.stopping = true;
    }

    fn leg(&mut self, leg: Leg, event: &Event<'_>) {
        match event {
            // Every leg trains what is left of the same network.
            Event::Note(text) if self.epoch == 0 && self.manner != Manner::Silent => {
                self.bar.suspend(|| note(text));
            }
            Event::Note(_) | Event::Rest(_) => {}
            Event::Step { done, of } => self.step(*done, *of),
            // A line for each point is enough behind the first.
            Event::Epoch(epoch) => {
                let is_told = leg == Leg::Dense && is_due(epoch.number, epoch.of);
                self.tell(name(leg), epoch, is_told);
            }
        }
    }

    fn reached(&mut self, point: &PathPoint) {
        if self.manner != Manner::Silent {
            let seconds = point.seconds;
            self.bar.suspend(|| {
                note(format_args!(
                    "{}: {:.1} % of MACs, {seconds:.2} s",
                    point.name,
                    100.0 * point.share
                ));
            });
        }
    }
}

fn name(leg: Leg) -> String {
    match leg {
        Leg::Dense => "dense".to_owned(),
        Leg::Cut { number, share } => format!("point-{number:02}, to {:.1} %", 100.0 * share),
    }
}
