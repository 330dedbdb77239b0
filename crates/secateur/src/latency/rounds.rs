//! Calls in turn, so that what slows the machine down for a while meets all of them alike.

use crate::Result;

/// Something to time.
pub(super) type Call<'a> = Box<dyn FnMut() -> Result<()> + 'a>;

/// Fewer rounds have no spread to tell of, so slow calls are given more time than was asked for.
pub(super) const LEAST_ROUNDS: usize = 5;
/// More rounds tell nothing new.
const MOST_ROUNDS: usize = 100_000;
/// Share of the time in which rounds are made and not counted.
const WARM_UP: f64 = 0.2;
/// What a clock tells apart at best, in seconds: no call takes less.
const TICK: f64 = 1e-9;

/// Seconds of each call: a list for each lane, in it a list for each call, in it a number for each round.
///
/// A lane holds the calls of one engine. A round makes every call of every lane once, in order, for at least `seconds`; rounds
/// before that warm up. Where there are several lanes, each is entered with its last call, untimed: so every call comes after
/// another one of its own engine, and none bears what changing engines takes. `now` tells seconds; `tell` is told the share of
/// the time that is over, between rounds.
///
/// # Errors
/// Those of the calls.
pub(super) fn take_turns(
    lanes: &mut [Vec<Call<'_>>],
    seconds: f64,
    now: &dyn Fn() -> f64,
    tell: &mut dyn FnMut(f64),
) -> Result<Vec<Vec<Vec<f64>>>> {
    let mut times: Vec<Vec<Vec<f64>>> = lanes.iter().map(|l| vec![vec![]; l.len()]).collect();
    let is_shared = lanes.iter().filter(|lane| !lane.is_empty()).count() > 1;
    let warm_up = WARM_UP * seconds;
    let begin = now();
    loop {
        round(lanes, is_shared, now, &mut |_, _, _| {})?;
        let passed = now() - begin;
        tell(passed.min(warm_up) / (warm_up + seconds));
        if passed >= warm_up {
            break;
        }
    }
    let begin = now();
    for done in 1..=MOST_ROUNDS {
        round(lanes, is_shared, now, &mut |lane, call, time| {
            times[lane][call].push(time);
        })?;
        let passed = now() - begin;
        tell((warm_up + passed.min(seconds)) / (warm_up + seconds));
        if done >= LEAST_ROUNDS && passed >= seconds {
            break;
        }
    }
    Ok(times)
}

fn round(
    lanes: &mut [Vec<Call<'_>>],
    is_shared: bool,
    now: &dyn Fn() -> f64,
    keep: &mut dyn FnMut(usize, usize, f64),
) -> Result<()> {
    for (l, lane) in lanes.iter_mut().enumerate() {
        if is_shared && let Some(last) = lane.last_mut() {
            last()?;
        }
        for (c, call) in lane.iter_mut().enumerate() {
            let start = now();
            call()?;
            keep(l, c, (now() - start).max(TICK));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::cell::{Cell, RefCell};

    use super::*;
    use crate::Error;

    /// A clock that calls advance, and what was called.
    #[derive(Default)]
    struct World {
        time: Cell<f64>,
        called: RefCell<String>,
    }

    impl World {
        fn call(&self, name: char, seconds: f64) -> Call<'_> {
            Box::new(move || {
                self.called.borrow_mut().push(name);
                self.time.set(self.time.get() + seconds);
                Ok(())
            })
        }

        fn turns(&self, mut lanes: Vec<Vec<Call<'_>>>, seconds: f64) -> Vec<Vec<Vec<f64>>> {
            take_turns(&mut lanes, seconds, &|| self.time.get(), &mut |_| {}).unwrap()
        }
    }

    #[test]
    fn calls_take_turns_after_a_warm_up() {
        let world = World::default();
        let lane = vec![world.call('a', 0.5), world.call('b', 0.25)];
        // 2 s of warming up are three rounds of 0.75 s, 10 s are fourteen.
        let times = world.turns(vec![lane], 10.0);
        assert_eq!(*world.called.borrow(), "ab".repeat(3 + 14));
        assert_eq!(times, [[vec![0.5; 14], vec![0.25; 14]]]);
    }

    #[test]
    fn each_of_several_lanes_is_entered_with_a_call_that_is_not_timed() {
        let world = World::default();
        let lanes = vec![
            vec![world.call('a', 1.0), world.call('b', 2.0)],
            vec![],
            vec![world.call('A', 4.0), world.call('B', 8.0)],
        ];
        let times = world.turns(lanes, 1.0);
        assert_eq!(*world.called.borrow(), "babBAB".repeat(1 + LEAST_ROUNDS));
        assert_eq!(times[0], [[1.0; LEAST_ROUNDS], [2.0; LEAST_ROUNDS]]);
        assert!(times[1].is_empty());
        assert_eq!(times[2], [[4.0; LEAST_ROUNDS], [8.0; LEAST_ROUNDS]]);
    }

    #[test]
    fn what_is_told_rises_to_one() {
        let world = World::default();
        let mut lanes = vec![vec![world.call('a', 1.0)]];
        let mut told = vec![];
        let tell = &mut |share| told.push(share);
        take_turns(&mut lanes, 10.0, &|| world.time.get(), tell).unwrap();
        assert_eq!(told.len(), 2 + 10);
        assert!(told.is_sorted() && told[0] > 0.0);
        assert!((told[11] - 1.0).abs() < 1e-12, "{told:?}");
    }

    #[test]
    fn a_clock_that_stands_still_and_a_call_that_fails_end_it() {
        let world = World::default();
        let failing: Call<'_> = Box::new(|| {
            let calls = world.called.borrow().len();
            match calls < 3 {
                true => Ok(()),
                false => Err(Error::usage("no more")),
            }
        });
        let mut lanes = vec![vec![world.call('a', 0.0), failing]];
        let done = take_turns(&mut lanes, 1.0, &|| world.time.get(), &mut |_| {});
        assert_eq!(done.unwrap_err().to_string(), "no more");
        drop(lanes);
        let mut lanes = vec![vec![world.call('a', 0.0)]];
        // No time passes while calls are made, only between looks at the clock.
        let ticks = Cell::new(0.0);
        let now = || ticks.replace(ticks.get() + 0.0625);
        let times = take_turns(&mut lanes, 1.0, &now, &mut |_| {}).unwrap();
        assert!(times[0][0].iter().all(|&t| t == 0.0625));
    }
}
