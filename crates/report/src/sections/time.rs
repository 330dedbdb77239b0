//! Where the time went, as stacked bars.

use secateur::RunRecord;

use super::SIZE;
use crate::input::{Table, TimeBar};
use crate::number::seconds;
use crate::outline::{Block, Figure};
use crate::plot::{Bar, Ink, Mark, SERIES, bars};

/// The bars of one run: the compressing run, the search that it is part of, and the arms beside it.
pub(super) fn of_run(run: &RunRecord) -> Block {
    let report = &run.report;
    let parts = report
        .time_split()
        .into_iter()
        .filter(|(name, _)| !name.starts_with("total"));
    let mut times = vec![TimeBar {
        arm: "compressing run".to_owned(),
        parts: parts
            .map(|(name, seconds)| (name.to_owned(), seconds))
            .collect(),
    }];
    let whole = |arm: &str, seconds: f64| TimeBar {
        arm: arm.to_owned(),
        parts: vec![("not split".to_owned(), seconds)],
    };
    if report.seconds.search > 1.01 * report.seconds.total {
        times.push(whole(
            "with the search for the strength",
            report.seconds.search,
        ));
    }
    if let Some(dense) = &report.dense {
        times.push(whole("dense network", dense.train_seconds));
    }
    if let Some(narrow) = &report.narrow {
        times.push(whole("narrowed network", narrow.train_seconds));
    }
    Block::Figure(figure("Where the time went", &times))
}

/// Stacked bars of any arms.
pub(super) fn figure(title: &str, times: &[TimeBar]) -> Figure {
    let mut names: Vec<&str> = vec![];
    for (name, _) in times.iter().flat_map(|bar| &bar.parts) {
        if !names.contains(&name.as_str()) {
            names.push(name);
        }
    }
    let ink = |name: &str| match name {
        "not split" => Ink::Absent,
        // With more parts than colours, the rest share one that no other has.
        _ => match names.iter().position(|n| *n == name) {
            Some(index) if index < SERIES => Ink::Fill(index),
            _ => Ink::Muted,
        },
    };
    let total = |bar: &TimeBar| bar.parts.iter().map(|(_, s)| s).sum::<f64>();
    let drawn: Vec<Bar> = times
        .iter()
        .map(|bar| Bar {
            name: bar.arm.clone(),
            value: format!("{} s", seconds(total(bar))),
            parts: bar
                .parts
                .iter()
                .map(|(name, s)| (ink(name), s.max(0.0)))
                .collect(),
        })
        .collect();
    let legend = names
        .iter()
        .map(|name| (Mark::Area(ink(name)), (*name).to_owned()));
    Figure::new(
        title,
        alternative(times, &total),
        bars(SIZE.0, "seconds", &drawn),
        table(times, &names, &total),
    )
    .legend(legend.collect())
}

fn alternative(times: &[TimeBar], total: &dyn Fn(&TimeBar) -> f64) -> String {
    let sentence = |bar: &TimeBar| {
        let most = bar.parts.iter().max_by(|a, b| a.1.total_cmp(&b.1));
        let most = most.filter(|_| bar.parts.len() > 1 && total(bar) > 0.0);
        let most = most.map(|(name, s)| format!(", {:.0} % of it {name}", 100.0 * s / total(bar)));
        format!(
            "{} {} s{}",
            bar.arm,
            seconds(total(bar)),
            most.unwrap_or_default()
        )
    };
    let all: Vec<String> = times.iter().map(sentence).collect();
    format!("Training time: {}.", all.join("; "))
}

fn table(times: &[TimeBar], names: &[&str], total: &dyn Fn(&TimeBar) -> f64) -> Table {
    let mut header = vec!["seconds"];
    header.extend(names);
    header.push("total");
    let row = |bar: &TimeBar| {
        let mut row = vec![bar.arm.clone()];
        row.extend(names.iter().map(|name| {
            let own = bar.parts.iter().filter(|(n, _)| n == name);
            let all: Vec<f64> = own.map(|(_, s)| *s).collect();
            match all.is_empty() {
                true => String::new(),
                false => seconds(all.iter().sum()),
            }
        }));
        row.push(seconds(total(bar)));
        row
    };
    Table::of(&header, times.iter().map(row).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_alternative_names_the_largest_part_and_the_table_has_all() {
        let bar = TimeBar {
            arm: "own".into(),
            parts: vec![("forward".into(), 1.0), ("backward".into(), 3.0)],
        };
        let figure = figure("Time", &[bar]);
        assert_eq!(
            figure.pictures[0].alternative,
            "Training time: own 4 s, 75 % of it backward."
        );
        assert_eq!(
            figure.numbers.header,
            ["seconds", "forward", "backward", "total"]
        );
        assert_eq!(figure.numbers.rows[0], ["own", "1", "3", "4"]);
    }
}
