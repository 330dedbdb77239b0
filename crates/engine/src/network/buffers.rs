//! Which buffer holds what: values that nobody needs any more give theirs to others.
//!
//! Time is counted in steps: step `s` runs at time `s` on the way forward, and of `n` steps at `2 n - 1 - s` on the way back.

use super::plan::{Buffer, Place, Planned, Segment};

/// Numbers with a time from which and one up to which they are needed.
#[derive(Debug, Clone, Copy)]
struct Life {
    len: usize,
    from: usize,
    to: usize,
    keeps_rows: bool,
}

/// Which segment runs a step, on the way forward and back.
struct When {
    steps: usize,
    forward: Vec<usize>,
    backward: Vec<usize>,
}

impl When {
    fn new(steps: usize, forward: &[Segment], backward: &[Segment]) -> Self {
        let index = |segments: &[Segment], first: usize| {
            let mut of = vec![usize::MAX; steps];
            for (i, segment) in segments.iter().enumerate() {
                segment.steps.iter().for_each(|&s| of[s] = first + i);
            }
            of
        };
        Self {
            steps,
            forward: index(forward, 0),
            // The last segment forward and the first back never run as one.
            backward: index(backward, forward.len()),
        }
    }

    fn back(&self, step: usize) -> usize {
        2 * self.steps - 1 - step
    }

    fn segment(&self, time: usize) -> usize {
        match time < self.steps {
            true => self.forward[time],
            false => self.backward[2 * self.steps - 1 - time],
        }
    }
}

/// Places that keep what they have.
#[derive(Clone, Copy)]
pub(crate) struct Kept<'a> {
    pub(crate) inputs: &'a [usize],
    pub(crate) outputs: &'a [usize],
    /// They keep their gradients, too.
    pub(crate) taps: &'a [usize],
    /// Whether all values that are needed on the way back are there still behind it.
    pub(crate) values: bool,
}

impl Kept<'_> {
    /// Whether the value of a place is never written over.
    fn value(&self, place: usize) -> bool {
        [self.inputs, self.outputs, self.taps]
            .iter()
            .any(|places| places.contains(&place))
    }
}

/// Gives every place its buffers. `gradients` of the steps must be known already.
pub(crate) fn assign(
    steps: &[Planned],
    places: &mut [Place],
    kept: Kept<'_>,
    forward: &[Segment],
    backward: &[Segment],
) -> Vec<Buffer> {
    let when = When::new(steps.len(), forward, backward);
    let trains = !backward.is_empty();
    let wide = |s: usize| steps[s].step.work().takes_all_rows();
    let goes_back = |s: usize| {
        trains && (steps[s].is_trained || steps[s].gradients.iter().any(Option::is_some))
    };
    let makers = makers(steps, places.len());
    let mut lives: Vec<Life> = vec![];
    let mut uses: Vec<Vec<usize>> = vec![vec![]; places.len()];
    for (s, planned) in steps.iter().enumerate() {
        for (k, &p) in planned.x.iter().enumerate() {
            uses[p].push(s);
            if goes_back(s) && planned.step.work().needs_input(k) {
                uses[p].push(when.back(s));
            }
        }
        if planned.makes && goes_back(s) && planned.step.work().needs_output() {
            uses[planned.y].push(when.back(s));
        }
    }
    let mut slot_of = vec![usize::MAX; places.len()];
    for p in 0..places.len() {
        let from = makers[p].unwrap_or(0);
        let to = uses[p].iter().copied().max().unwrap_or(from);
        let is_end = kept.value(p);
        let goes_on = kept.values && to >= steps.len();
        let touches_wide =
            makers[p].is_some_and(wide) || uses[p].iter().any(|&t| t < steps.len() && wide(t));
        let crosses = uses[p]
            .iter()
            .any(|&t| when.segment(t) != when.segment(from));
        let life = Life {
            len: places[p].layout.len,
            from: if kept.inputs.contains(&p) { 0 } else { from },
            to: if is_end || goes_on { usize::MAX } else { to },
            keeps_rows: is_end || touches_wide || crosses,
        };
        slot_of[p] = match shared(steps, places, &makers, &uses, p, kept, goes_back) {
            Some(before) => {
                let slot: usize = slot_of[before];
                lives[slot].to = lives[slot].to.max(life.to);
                lives[slot].keeps_rows |= life.keeps_rows;
                slot
            }
            None => {
                lives.push(life);
                lives.len() - 1
            }
        };
    }
    let mut gradient_of = vec![usize::MAX; places.len()];
    if trains {
        gradients(steps, places, kept, &when, &mut lives, &mut gradient_of);
    }
    let (buffers, of) = color(&lives);
    for (p, place) in places.iter_mut().enumerate() {
        place.value = of[slot_of[p]];
        place.gradient = (gradient_of[p] != usize::MAX).then(|| of[gradient_of[p]]);
    }
    buffers
}

/// The step that makes each place.
fn makers(steps: &[Planned], places: usize) -> Vec<Option<usize>> {
    let mut makers = vec![None; places];
    for (s, planned) in steps.iter().enumerate().filter(|(_, p)| p.makes) {
        makers[planned.y] = Some(s);
    }
    makers
}

/// The place that `p` may overwrite.
fn shared(
    steps: &[Planned],
    places: &[Place],
    makers: &[Option<usize>],
    uses: &[Vec<usize>],
    p: usize,
    kept: Kept<'_>,
    goes_back: impl Fn(usize) -> bool,
) -> Option<usize> {
    let s = makers[p]?;
    let planned = &steps[s];
    (0..planned.x.len()).find_map(|k| {
        let before = planned.x[k];
        let maker = makers[before]?;
        let read_once = uses[before] == [s];
        let is_kept = goes_back(maker) && steps[maker].step.work().needs_output();
        let fits = places[before].layout.len == places[p].layout.len && !kept.value(before);
        (planned.step.work().runs_in_place(k) && read_once && !is_kept && fits).then_some(before)
    })
}

/// Lives of gradients, which begin where the last reader is and end where the maker is.
fn gradients(
    steps: &[Planned],
    places: &[Place],
    kept: Kept<'_>,
    when: &When,
    lives: &mut Vec<Life>,
    slot_of: &mut [usize],
) {
    let wide = |s: usize| steps[s].step.work().takes_all_rows();
    // Backwards, so that readers come before makers.
    for p in (0..places.len()).rev() {
        let takers = steps.iter().enumerate().filter(|(_, planned)| {
            let wanted = planned.x.iter().zip(&planned.gradients);
            wanted.clone().any(|(&x, g)| x == p && g.is_some())
        });
        let takers: Vec<usize> = takers.map(|(s, _)| s).collect();
        if takers.is_empty() && !kept.outputs.contains(&p) {
            continue;
        }
        // The statistics of a batch are given the gradient of what is normalised by them.
        let givers: Vec<usize> = (0..steps.len()).filter(|&s| steps[s].y == p).collect();
        let mut times: Vec<usize> = takers
            .iter()
            .chain(&givers)
            .map(|&s| when.back(s))
            .collect();
        times.sort_unstable();
        let (Some(&first), Some(&last)) = (times.first(), times.last()) else {
            continue;
        };
        let is_tap = kept.taps.contains(&p);
        let keeps_rows = kept.outputs.contains(&p)
            || is_tap
            || takers.iter().chain(&givers).any(|&s| wide(s))
            || times
                .iter()
                .any(|&t| when.segment(t) != when.segment(first));
        let life = Life {
            len: places[p].layout.len,
            from: if kept.outputs.contains(&p) {
                steps.len()
            } else {
                first
            },
            to: if is_tap { usize::MAX } else { last },
            keeps_rows,
        };
        // A step that passes its gradient on as it is leaves it where it lies.
        let passed = takers.iter().copied().max().filter(|&s| {
            let planned = &steps[s];
            let k = planned.x.iter().position(|&x| x == p);
            let is_first = k.is_some_and(|k| {
                planned.gradients[k] == Some(false) && planned.step.work().passes_gradient(k)
            });
            let others = planned.x.iter().zip(&planned.gradients);
            let taken = others.clone().any(|(&x, g)| {
                x != p
                    && g.is_some()
                    && slot_of[x] != usize::MAX
                    && slot_of[x] == slot_of[planned.y]
            });
            let is_once = planned.x.iter().filter(|&&x| x == p).count() == 1;
            let ends_there = steps
                .iter()
                .enumerate()
                .all(|(o, other)| other.y != planned.y || o == s);
            is_first && is_once && !taken && ends_there && slot_of[planned.y] != usize::MAX
        });
        slot_of[p] = match passed {
            Some(s) => {
                let slot = slot_of[steps[s].y];
                lives[slot].to = lives[slot].to.max(life.to);
                lives[slot].keeps_rows |= keeps_rows;
                slot
            }
            None => {
                lives.push(life);
                lives.len() - 1
            }
        };
    }
}

/// Buffers for all lives, and that of each: where one ends, another of the same kind may begin.
fn color(lives: &[Life]) -> (Vec<Buffer>, Vec<usize>) {
    let mut order: Vec<usize> = (0..lives.len()).collect();
    order.sort_by_key(|&l| lives[l].from);
    let mut buffers: Vec<Buffer> = vec![];
    let mut busy_to: Vec<usize> = vec![];
    let mut of = vec![0; lives.len()];
    for l in order {
        let life = lives[l];
        let free = (0..buffers.len()).filter(|&b| {
            let buffer = &buffers[b];
            let fits = match life.keeps_rows {
                true => buffer.len == life.len,
                false => buffer.len >= life.len,
            };
            buffer.keeps_rows == life.keeps_rows && fits && busy_to[b] < life.from
        });
        let best = free.min_by_key(|&b| buffers[b].len);
        let b = best.unwrap_or_else(|| {
            buffers.push(Buffer {
                len: life.len,
                keeps_rows: life.keeps_rows,
            });
            busy_to.push(0);
            buffers.len() - 1
        });
        busy_to[b] = life.to;
        of[l] = b;
    }
    (buffers, of)
}

#[cfg(test)]
mod tests {
    use secateur_graph::{Binary, Dim, GraphBuilder, Op, Tensor};

    use super::super::read::{Mode, at_rows, plan};
    use super::super::training::Training;
    use super::*;

    fn life(len: usize, from: usize, to: usize, keeps_rows: bool) -> Life {
        Life {
            len,
            from,
            to,
            keeps_rows,
        }
    }

    #[test]
    fn buffers_pass_on_only_what_nobody_needs() {
        let lives = [
            life(4, 0, 3, true),
            life(4, 3, 5, true),
            life(4, 4, 9, true),
            life(2, 6, 7, true),
            life(2, 0, 1, false),
            life(1, 2, 3, false),
        ];
        let (buffers, of) = color(&lives);
        assert_eq!(of[2], of[0], "the third begins after the first ends");
        assert_ne!(of[1], of[0], "both are needed at time 3");
        assert_ne!(of[3], of[1], "rows of another length lie elsewhere");
        assert_eq!(of[5], of[4], "a row of a thread may be shorter");
        assert_eq!(buffers.len(), 4);
        for (i, a) in lives.iter().enumerate() {
            for (j, b) in lives.iter().enumerate().skip(i + 1) {
                let apart = a.to < b.from || b.to < a.from;
                assert!(of[i] != of[j] || apart);
            }
        }
    }

    /// A sum passes its gradient on to one of its operands as it lies; the other one adds to its own.
    #[test]
    fn gradients_that_are_passed_on_share_a_buffer_with_nobody_else() {
        let mut b = GraphBuilder::new("net");
        let x = b.input("x", [Dim::batch(), Dim::Fixed(3)]);
        let mut layer = |name: &str, x, shape: [usize; 2]| {
            let numbers = vec![0.5; shape[0] * shape[1]];
            let w = b.constant(format!("{name}.w"), Tensor::f32(shape, numbers).unwrap());
            b.node(name, Op::MatMul, &[x, w])
        };
        let first = layer("first", x, [3, 4]);
        let second = layer("second", first, [4, 4]);
        let sum = b.node("sum", Op::Binary(Binary::Add), &[second, first]);
        let w = b.constant("last.w", Tensor::f32([4, 2], vec![0.5; 8]).unwrap());
        let last = b.node("last", Op::MatMul, &[sum, w]);
        b.output(last);
        let graph = b.build().unwrap();
        let samples = [vec![1, 3]];
        let training = Training::of(&samples, 1);
        let settled = at_rows(&graph, &training).unwrap();
        let plan = plan(&graph, &settled, Mode::Train, &training, &mut vec![]).unwrap();
        let gradient = |id| plan.places[plan.at[&id]].gradient.unwrap();
        assert_eq!(gradient(second), gradient(sum));
        assert_ne!(gradient(first), gradient(sum));
    }
}
