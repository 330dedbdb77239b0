//! The largest network that a limit and a question allow, of networks whose sizes are 2, 4 and so on up to 32.

use secateur_graph::{Dim, Graph, GraphBuilder, Op, Tensor};
use secateur_prox::Quantity;

use super::super::NetLearner;
use super::by_hand::alternating;
use super::networks::{SGD, group_lasso, settings};
use crate::budget::count;
use crate::budget::question::Question;
use crate::budget::ranked::Ranked;
use crate::budget::search::{foresee, within};
use crate::settings::Widths;
use crate::{ErrorKind, Result};

/// One feature, sixteen units, one output.
fn ranked() -> Ranked {
    let mut b = GraphBuilder::new("sixteen");
    let x = b.input("x", [Dim::batch(), Dim::Fixed(1)]);
    let numbers: Vec<f32> = (1..=16).map(|i| i as f32).collect();
    let made = b.constant("made", Tensor::f32([1, 16], numbers.clone()).unwrap());
    let read = b.constant("read", Tensor::f32([16, 1], numbers).unwrap());
    let x = b.node("units", Op::MatMul, &[x, made]);
    let y = b.node("reader", Op::MatMul, &[x, read]);
    b.output(y);
    let settings = settings(SGD, Some(group_lasso(0.1)));
    let mut net = NetLearner::new(b.build().unwrap(), alternating(1), &settings).unwrap();
    let single = Widths { floor: 1, round: 1 };
    net.ranked(Quantity::Macs, single).unwrap()
}

/// What `look` makes of a question that is answered by the number of multiply-adds, and what was asked about.
fn asked<T>(
    (most, aim, near): (f64, f64, f64),
    look: impl Fn(Question<'_>) -> Result<T>,
) -> (Result<T>, Vec<u64>) {
    let mut about = vec![];
    let mut ask = |graph: &Graph| {
        let macs = count(Quantity::Macs, graph)?;
        about.push(macs);
        Ok(macs as f64)
    };
    let words = |answer: f64| format!("{answer:.2} s");
    let found = look(Question {
        ask: &mut ask,
        most,
        aim,
        near,
        words,
    });
    (found, about)
}

/// The size that is found, and what was asked about on the way.
fn found(limit: u64, question: (f64, f64, f64)) -> (std::result::Result<u64, String>, Vec<u64>) {
    let ranked = ranked();
    let (found, about) = asked(question, |mut q| within(&ranked, limit, Some(&mut q)));
    let size = found.map(|candidate| candidate.count);
    (size.map_err(|error| error.to_string()), about)
}

#[test]
fn without_a_question_the_limit_alone_decides() {
    let ranked = ranked();
    for (limit, size) in [(40, 32), (32, 32), (31, 30), (9, 8), (2, 2)] {
        assert_eq!(within(&ranked, limit, None).unwrap().count, size);
    }
    let error = within(&ranked, 1, None).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Limit);
    let told =
        "budget: 1 MACs a row cannot be reached: 2 are left when every layer keeps its least";
    assert_eq!(error.to_string(), told);
    let hint = |ranked: &Ranked| {
        let error = within(ranked, 1, None).unwrap_err();
        error.hint_text().unwrap_or_default().to_owned()
    };
    assert!(!hint(&ranked).contains("multiples"));
    let eights = Ranked {
        widths: Widths { floor: 1, round: 8 },
        ..ranked
    };
    assert!(hint(&eights).contains("than multiples of 8 (--round 1)"));
}

#[test]
fn halving_leads_to_the_largest_network_that_the_question_allows() {
    assert_eq!(
        found(32, (21.0, 1.0, 0.0)),
        (Ok(20), vec![32, 16, 24, 20, 22])
    );
    // Under a limit that is lower there is less to ask about.
    assert_eq!(found(21, (21.0, 1.0, 0.0)), (Ok(20), vec![20]));
    assert_eq!(found(27, (21.0, 1.0, 0.0)), (Ok(20), vec![26, 14, 20, 22]));
}

#[test]
fn the_search_ends_with_an_answer_that_is_near_enough() {
    assert_eq!(found(32, (20.0, 1.0, 0.2)), (Ok(16), vec![32, 16]));
    assert_eq!(found(32, (20.0, 1.0, 0.1)), (Ok(20), vec![32, 16, 24, 20]));
}

#[test]
fn units_go_until_the_aim_is_met_and_none_where_the_limit_is() {
    assert_eq!(
        found(32, (20.0, 0.5, 0.0)),
        (Ok(10), vec![32, 16, 8, 12, 10])
    );
    assert_eq!(found(32, (32.0, 0.5, 0.0)), (Ok(32), vec![32]));
}

#[test]
fn the_least_is_held_to_the_limit_where_none_meets_the_aim() {
    assert_eq!(found(32, (2.0, 0.5, 0.0)), (Ok(2), vec![32, 16, 8, 4, 2]));
    let told = "budget: 1.50 s cannot be reached: it is 2.00 s when every layer keeps its least";
    let (size, about) = found(32, (1.5, 1.0, 0.0));
    assert_eq!((size, about), (Err(told.into()), vec![32, 16, 8, 4, 2]));
}

#[test]
fn what_is_within_its_budget_or_out_of_reach_is_foreseen() {
    let ranked = ranked();
    assert_eq!(foresee(&ranked, 31, None).unwrap(), None);
    let met = |have: &str, most: &str| {
        format!(
            "the network is within its budget already ({have}, at most {most}): nothing is removed to meet it"
        )
    };
    let note = foresee(&ranked, 32, None).unwrap();
    assert_eq!(note, Some(met("32 MACs a row", "32 MACs a row")));
    assert!(foresee(&ranked, 2, None).unwrap().is_none());
    assert_eq!(
        foresee(&ranked, 1, None).unwrap_err().kind(),
        ErrorKind::Limit
    );

    let look = |limit: u64, most: f64| {
        let ranked = &ranked;
        asked((most, 1.0, 0.0), move |mut q| {
            foresee(ranked, limit, Some(&mut q))
        })
    };
    let (note, about) = look(32, 32.0);
    assert_eq!(
        (note.unwrap(), about),
        (Some(met("32.00 s", "32.00 s")), vec![32])
    );
    // The answer is within its limit and the count is not, or the other way round.
    for (limit, most) in [(31, 32.0), (32, 31.0), (2, 2.0)] {
        let (note, about) = look(limit, most);
        assert_eq!((note.unwrap(), about), (None, vec![32, 2]));
    }
    let (note, about) = look(32, 1.0);
    let told = "budget: 1.00 s cannot be reached: it is 2.00 s when every layer keeps its least";
    assert_eq!(
        (note.unwrap_err().to_string().as_str(), about),
        (told, vec![32, 2])
    );
    let (note, about) = look(1, 32.0);
    assert_eq!(
        (note.unwrap_err().kind(), about),
        (ErrorKind::Limit, vec![])
    );
}
