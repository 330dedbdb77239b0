//! How strong the penalty is.

/// How lambda is chosen.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum StrengthChoice {
    /// This lambda.
    Fixed(f64),
    /// This factor times the lambda at which penalty and loss are equal at the first step.
    ///
    /// PruneTrain chooses a share of the sum instead (Lym et al. 2019, section 4.1); a factor of 1 is
    /// a share of one half.
    Balance(f64),
}

/// Lambda over a run.
#[derive(Debug, Clone)]
pub(crate) struct Lambda {
    choice: StrengthChoice,
    now: Option<f64>,
}

impl Lambda {
    pub(crate) fn new(choice: StrengthChoice) -> Self {
        let now = match choice {
            StrengthChoice::Fixed(lambda) => Some(lambda),
            StrengthChoice::Balance(_) => None,
        };
        Self { choice, now }
    }

    /// Lambda as it was found when a run left off, if it was.
    pub(crate) fn resume(&mut self, found: Option<f64>) {
        self.now = found.or(self.now);
    }

    /// Lambda, if it was found.
    pub(crate) fn now(&self) -> Option<f64> {
        self.now
    }

    /// Lambda, from the first loss and the penalty's value at lambda = 1 if it is still open.
    pub(crate) fn value(&mut self, first: impl FnOnce() -> (f64, f64)) -> f64 {
        *self.now.get_or_insert_with(|| match self.choice {
            StrengthChoice::Fixed(lambda) => lambda,
            StrengthChoice::Balance(factor) => {
                let (loss, penalty) = first();
                if penalty > 0.0 {
                    factor * loss / penalty
                } else {
                    0.0
                }
            }
        })
    }

    /// Lambda as in use; 0 before the first step.
    pub(crate) fn last(&self) -> f64 {
        self.now.unwrap_or(0.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn balance_is_measured_once_and_scaled() {
        let mut lambda = Lambda::new(StrengthChoice::Balance(0.5));
        assert_eq!(lambda.last(), 0.0);
        assert_eq!(lambda.value(|| (2.0, 100.0)), 0.01);
        assert_eq!(lambda.value(|| (9.0, 1.0)), 0.01);
        assert_eq!(lambda.last(), 0.01);
        assert_eq!(
            Lambda::new(StrengthChoice::Balance(1.0)).value(|| (2.0, 0.0)),
            0.0
        );
        assert_eq!(
            Lambda::new(StrengthChoice::Fixed(0.3)).value(|| (2.0, 1.0)),
            0.3
        );
    }
}
