//! A model of others that lost units: what stayed, what its outputs lost, and what became of each reader.

use secateur::{ModelFile, OutputLoss, Repair, SmallModel, Untouched};

use super::{SIZE, layers};
use crate::input::Table;
use crate::number::{grouped, significant};
use crate::outline::{Block, Figure, Section, Tile};
use crate::plot::{Axis, Bar, Ink, Layer, Mark, bars, chart};

/// Series of readers without repair and with it.
const CUT: usize = 1;
const REPAIRED: usize = 0;

pub(crate) fn section(small: &SmallModel, file: &ModelFile) -> Section {
    let mut blocks = vec![Block::Tiles(tiles(small, file))];
    let remarks = remarks(small);
    blocks.push(Block::List(remarks));
    if let Some(repair) = small.repaired() {
        blocks.push(Block::Figure(outputs(repair)));
        if !repair.readers().is_empty() {
            blocks.push(Block::Figure(readers(repair)));
        }
    }
    blocks.push(Block::Figure(layers::figure("group", &groups(small, file))));
    if let Some(repair) = small.repaired() {
        let asides = [changed(repair.outputs()), untouched(repair.untouched())];
        blocks.extend(asides.into_iter().flatten().map(Block::Aside));
    }
    Section {
        id: "shrunk".into(),
        title: "What stayed, and what it lost".into(),
        blocks,
        ..Section::default()
    }
}

fn tiles(small: &SmallModel, file: &ModelFile) -> Vec<Tile> {
    let left = |name: &str, before: u64, after: u64| Tile {
        name: name.to_owned(),
        value: percent(after as f64 / before.max(1) as f64),
        note: format!("{} of {}", grouped(after), grouped(before)),
    };
    let (before, after) = (file.cost(), small.cost());
    let mut tiles = vec![
        left("MACs", before.macs, after.macs),
        left("parameters", before.params, after.params),
    ];
    if let Some(loss) = small.repaired().and_then(|r| r.outputs().first()) {
        tiles.push(match loss.repaired.agreement {
            Some(agreement) => Tile {
                name: format!("answers of {} that stayed", loss.name),
                value: percent(agreement),
                note: loss
                    .none
                    .agreement
                    .map_or_else(String::new, |a| format!("{} without repair", percent(a))),
            },
            None => Tile {
                name: format!("error of {}", loss.name),
                value: significant(loss.repaired.error),
                note: format!(
                    "{} without repair; a share of its variance",
                    significant(loss.none.error)
                ),
            },
        });
    }
    tiles
}

fn percent(share: f64) -> String {
    format!("{:.1} %", 100.0 * share)
}

/// What stands above the pictures, in sentences.
fn remarks(small: &SmallModel) -> Vec<String> {
    let choice = small.choice();
    let chosen = format!(
        "Units stayed by {} (allocation {}, seed {}), limit {}.",
        choice.by.name(),
        choice.allocation,
        choice.seed,
        choice.limit
    );
    let mut remarks = vec![chosen, small.verified()];
    if let Some(nearest) = small.nearest() {
        remarks.push(nearest.to_string());
    }
    if let Some(repair) = small.repaired() {
        remarks.extend(repair.to_string().lines().map(str::to_owned));
        remarks.extend_from_slice(repair.notes());
        let worse: Vec<&str> = repair.worse().collect();
        if !worse.is_empty() {
            remarks.push(format!(
                "Further from what they made than without repair: {}.",
                worse.join(", ")
            ));
        }
    }
    remarks
}

/// Each output without repair, with statistics alone, and as it is written.
fn outputs(repair: &Repair) -> Figure {
    let table = repair.table();
    let agrees = |loss: &OutputLoss| loss.repaired.agreement.is_some();
    let are_answers = repair.outputs().iter().all(agrees);
    let mut drawn = vec![];
    for loss in repair.outputs() {
        let ways = [
            ("none", Some(loss.none)),
            ("statistics", loss.statistics),
            (repair.way(), Some(loss.repaired)),
        ];
        let told = ways.into_iter().filter_map(|(way, of)| Some((way, of?)));
        // Where statistics are all that was repaired, they are the last one.
        for (way, of) in told.filter(|(way, of)| *way != repair.way() || *of == loss.repaired) {
            let (length, value) = match (are_answers, of.agreement) {
                (true, Some(agreement)) => (100.0 * agreement, percent(agreement)),
                _ => (of.error, significant(of.error)),
            };
            let ink = if way == "none" {
                Ink::Fill(CUT)
            } else {
                Ink::Fill(REPAIRED)
            };
            let bar = Bar {
                name: format!("{}: {way}", loss.name),
                value,
                parts: vec![(ink, length)],
            };
            if drawn.last().is_none_or(|last: &Bar| last.name != bar.name) {
                drawn.push(bar);
            }
        }
    }
    let axis = if are_answers {
        "answers that stayed (%)"
    } else {
        "error, as a share of the variance"
    };
    let words: Vec<String> = drawn
        .iter()
        .map(|bar| format!("{} {}", bar.name, bar.value))
        .collect();
    let header: Vec<&str> = table.header.iter().map(String::as_str).collect();
    Figure::new(
        "What outputs lost",
        format!("{axis}: {}.", words.join(", ")),
        bars(SIZE.0, axis, &drawn),
        Table::of(&header, table.rows),
    )
    .note(table.note)
}

/// How far each reader is from what it made, on inputs that nothing was fitted on.
fn readers(repair: &Repair) -> Figure {
    let all = repair.readers();
    let line = |which: usize| -> Vec<(f64, f64)> {
        let each = all.iter().enumerate();
        each.map(|(at, r)| ((at + 1) as f64, r.tested[which]))
            .collect()
    };
    let (cut, repaired) = (line(0), line(1));
    let places: Vec<f64> = cut.iter().map(|p| p.0).collect();
    let errors: Vec<f64> = cut.iter().chain(&repaired).map(|p| p.1).collect();
    let rows = all.iter().map(|r| {
        let ridge = match r.ridge {
            None => "stays".to_owned(),
            Some(ridge) if ridge.is_infinite() => "bias only".to_owned(),
            Some(ridge) => format!("{ridge:e}"),
        };
        vec![
            r.node.clone(),
            r.moments_of.to_owned(),
            ridge,
            format!("{:.1e}", r.condition),
            significant(r.tested[0]),
            significant(r.tested[1]),
        ]
    });
    let header = [
        "reader",
        "moments of",
        "ridge",
        "condition",
        "error, cut",
        "error, repaired",
    ];
    let svg = chart(
        SIZE,
        &Axis::around("reader, in the order of evaluation", &places),
        &Axis::from_zero("error, as a share of the variance", &errors),
        &[Layer::Line(CUT, cut), Layer::Line(REPAIRED, repaired)],
    );
    let better = all.iter().filter(|r| r.tested[1] < r.tested[0]).count();
    Figure::new(
        "What readers lost",
        format!(
            "Error of {} readers before and after repair; {better} are nearer to what they made.",
            all.len()
        ),
        svg,
        Table::of(&header, rows.collect()),
    )
    .note("On inputs that nothing was fitted or chosen on.")
    .legend(vec![
        (Mark::Line(CUT), "without repair".to_owned()),
        (Mark::Line(REPAIRED), "repaired".to_owned()),
    ])
}

fn groups(small: &SmallModel, file: &ModelFile) -> Vec<(String, usize, usize)> {
    let free = file.groups().iter().filter(|(_, g)| g.is_free());
    free.map(|(id, g)| (g.name.clone(), g.units, small.keep().count(id)))
        .collect()
}

/// Inputs whose answer is another one; none where that is not told.
fn changed(outputs: &[OutputLoss]) -> Option<Table> {
    let of = |loss: &OutputLoss| -> Vec<Vec<String>> {
        let each = loss.changed.iter();
        each.map(|c| {
            vec![
                c.input.clone(),
                loss.name.clone(),
                c.was.to_string(),
                c.is.to_string(),
            ]
        })
        .collect()
    };
    let rows: Vec<Vec<String>> = outputs.iter().flat_map(of).collect();
    (!rows.is_empty()).then(|| Table {
        title: "Inputs whose answer changed".into(),
        ..Table::of(&["input", "output", "was", "is"], rows)
    })
}

fn untouched(readers: &[Untouched]) -> Option<Table> {
    let rows: Vec<Vec<String>> = readers
        .iter()
        .map(|u| vec![u.node.clone(), u.why.to_owned()])
        .collect();
    (!rows.is_empty()).then(|| Table {
        title: "Readers that keep their weights".into(),
        ..Table::of(&["reader", "as"], rows)
    })
}

#[cfg(test)]
mod tests {
    use secateur::{Changed, Loss};

    use super::*;

    #[test]
    fn what_changed_and_what_stays_is_listed_if_there_is_any() {
        let loss = Loss {
            error: 0.5,
            agreement: Some(0.5),
        };
        let output = |changed| OutputLoss {
            name: "logits".into(),
            places: 2,
            none: loss,
            statistics: None,
            repaired: loss,
            changed,
        };
        let moved = Changed {
            input: "a.png".into(),
            was: 3,
            is: 5,
        };
        let table = changed(&[output(vec![moved])]).unwrap();
        assert_eq!(table.title, "Inputs whose answer changed");
        assert_eq!(table.rows, [["a.png", "logits", "3", "5"]]);
        assert_eq!(changed(&[output(vec![])]), None);
        let reader = Untouched {
            node: "shared".into(),
            why: "several nodes share its weights",
        };
        let table = untouched(&[reader]).unwrap();
        assert_eq!(table.title, "Readers that keep their weights");
        assert_eq!(table.rows, [["shared", "several nodes share its weights"]]);
        assert_eq!(untouched(&[]), None);
    }
}
