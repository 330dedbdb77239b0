//! What a caller who compared arms hands over, in plain numbers and words.

/// Arms that were compared over seeds.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Comparison {
    /// What was compared.
    pub title: String,
    /// Sentences that a reader should know first.
    pub notes: Vec<String>,
    /// What was claimed, and what came out.
    pub verdicts: Vec<Verdict>,
    /// Tables, each on one data set.
    pub tables: Vec<Table>,
    /// Scores against the cost of a row, each on one data set.
    pub trade_offs: Vec<TradeOff>,
    /// Where the time of each arm went.
    pub times: Vec<TimeBar>,
    /// Which widths are left, by the network that a run started from.
    pub widths: Vec<WidthPlot>,
}

/// A claim and what the runs say about it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Verdict {
    /// What was claimed.
    pub claim: String,
    /// What came out.
    pub words: String,
}

/// Cells as they are to be printed.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Table {
    /// What it shows.
    pub title: String,
    /// What a reader should know about it.
    pub note: Option<String>,
    /// Headings, one a column; the first column names the rows.
    pub header: Vec<String>,
    /// One list of cells a row, as long as `header`.
    pub rows: Vec<Vec<String>>,
}

/// Score against cost, all arms on the same data.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct TradeOff {
    /// Names data and network.
    pub title: String,
    /// What the scores are, with their unit: `test accuracy (%)`.
    pub score_name: String,
    /// Whether a larger score is better.
    pub higher_is_better: bool,
    /// One entry an arm.
    pub points: Vec<Point>,
    /// Mean and standard deviation of the dense network's score.
    pub dense: Option<(f64, f64)>,
}

/// An arm: means and standard deviations over seeds.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Point {
    /// Its name.
    pub arm: String,
    /// Multiply-accumulate operations a row.
    pub macs: f64,
    /// Their standard deviation; 0 for one seed.
    pub macs_sd: f64,
    /// In the unit of the trade-off.
    pub score: f64,
    /// Its standard deviation; 0 for one seed.
    pub score_sd: f64,
}

/// Where the time of an arm went.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct TimeBar {
    /// Its name.
    pub arm: String,
    /// Names and seconds, in the order in which they are drawn; equal names get equal colours.
    pub parts: Vec<(String, f64)>,
}

/// Hidden widths that are left, by starting network.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct WidthPlot {
    /// Names data and penalty.
    pub title: String,
    /// A name, then for each seed the widths of the hidden layers, first layer first.
    pub starts: Vec<(String, Vec<Vec<f64>>)>,
}
