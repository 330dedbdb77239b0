//! What only the caller can measure of a network.

use std::fmt;

use secateur_graph::Graph;

use crate::Result;

/// A limit on something that the trainer does not know, such as the size of a file or the time of a call.
///
/// Units are ranked by what they free of the quantity of the run's budget; the largest network of that ranking whose answer is
/// within the limit stays.
pub struct Question<'a> {
    /// Measures a network like the one that is trained, in a unit of the caller's. It should not rise as units go; an error ends
    /// the run.
    pub ask: &'a mut (dyn FnMut(&Graph) -> Result<f64> + Send),
    /// The largest answer that is allowed.
    pub most: f64,
    /// Where units go, answers come to at most this share of the limit; 1 where the same question has the same answer again, less
    /// where it varies.
    pub aim: f64,
    /// The search ends with an answer that is below the aim by at most this share of it; 0 where the last unit counts.
    pub near: f64,
    /// An answer in words, with its unit.
    pub words: fn(f64) -> String,
}

impl Question<'_> {
    /// Whether a network is within the limit, and how it was measured.
    ///
    /// # Errors
    /// Those of the caller.
    pub(crate) fn of(&mut self, graph: &Graph) -> Result<(bool, f64)> {
        let answer = (self.ask)(graph)?;
        // Written so that NaN is not within it.
        Ok((answer <= self.most, answer))
    }

    /// Whether an answer is within what the search aims at.
    pub(crate) fn is_aimed(&self, answer: f64) -> bool {
        answer <= self.most * self.aim
    }

    /// Whether an answer within the aim leaves nothing to look for.
    pub(crate) fn is_near(&self, answer: f64) -> bool {
        answer >= self.most * self.aim * (1.0 - self.near)
    }
}

impl fmt::Debug for Question<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let limit = (self.words)(self.most);
        f.debug_struct("Question").field("most", &limit).finish()
    }
}

#[cfg(test)]
mod tests {
    use secateur_testkit::mlp;

    use super::*;

    #[test]
    fn an_answer_is_within_the_limit_or_the_aim_or_near_it_up_to_the_bound_itself() {
        let graph = mlp(&[1, 1], secateur_graph::Unary::Relu, 1).unwrap();
        let mut answer = 0.0;
        let mut ask = |_: &Graph| {
            answer += 5.0;
            Ok(if answer > 10.0 { f64::NAN } else { answer })
        };
        let mut question = Question {
            ask: &mut ask,
            most: 8.0,
            aim: 0.5,
            near: 0.25,
            words: |answer| format!("{answer} s"),
        };
        assert_eq!(question.of(&graph).unwrap(), (true, 5.0));
        assert_eq!(question.of(&graph).unwrap(), (false, 10.0));
        assert!(!question.of(&graph).unwrap().0);
        let aimed = [3.9, 4.0, 4.1].map(|answer| question.is_aimed(answer));
        assert_eq!(aimed, [true, true, false]);
        let near = [2.9, 3.0, 3.1].map(|answer| question.is_near(answer));
        assert_eq!(near, [false, true, true]);
        assert_eq!(format!("{question:?}"), r#"Question { most: "8 s" }"#);
    }
}
