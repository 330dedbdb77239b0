//! One run, epoch by epoch.

use crate::read::Cells;
use crate::run::{hold, shown};

#[test]
fn epochs_have_their_own_numbers() {
    let table = |rows: &[&[&str]]| -> Cells {
        let row = |row: &&[&str]| row.iter().map(|&c| c.to_owned()).collect();
        rows.iter().map(row).collect()
    };
    hold(
        "Loss by epoch",
        &table(&[
            &["epoch", "training loss", "validation loss"],
            &["1", "2.157", "1.984"],
            &["2", "1.584", "1.286"],
            &["3", "1.204", "1.127"],
        ]),
    );
    hold(
        "Score by epoch",
        &table(&[
            &["epoch", "validation accuracy (%)"],
            &["1", "33.89"],
            &["2", "47.78"],
            &["3", "46.67"],
        ]),
    );
    hold(
        "Units by epoch",
        &table(&[
            &["epoch", "inputs read", "hidden layer 1", "hidden layer 2"],
            &["0", "64", "41", "29"],
            &["1", "57", "36", "25"],
            &["2", "48", "31", "18"],
            &["3", "35", "20", "14"],
        ]),
    );
    hold(
        "MACs by epoch",
        &table(&[
            &["epoch", "MACs a row", "strength"],
            &["0", "60,123", ""],
            &["1", "50,001", "0.00341"],
            &["2", "30,002", "0.00342"],
            &["3", "10,003", "0"],
        ]),
    );
    hold(
        "Units by layer, before and after",
        &table(&[
            &["layer", "before", "after", "left (%)"],
            &["inputs read", "64", "33", "51.6"],
            &["hidden layer 1", "41", "19", "46.3"],
            &["hidden layer 2", "29", "11", "37.9"],
        ]),
    );
    let [page, markdown] = shown();
    for told in [
        "on training rows from 2.157 to 1.204, on validation rows from 1.984 to 1.127, over 3 epochs.",
        "validation accuracy (%) from 33.89 to 46.67, best 47.78. The dense network ends at 92.11.",
        "inputs read from 64 to 35, hidden layer 1 from 41 to 20, hidden layer 2 from 29 to 14.",
        "60,123 at the start, 50,001 after the first epoch, 10,003 at the end, 6.01 times fewer.",
        "inputs read 33 of 64, hidden layer 1 19 of 41, hidden layer 2 11 of 29.",
    ] {
        assert!(
            page.contains(told) && markdown.contains(told),
            "{told}\n{markdown}"
        );
    }
}
