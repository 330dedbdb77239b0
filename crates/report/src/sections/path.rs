//! A path: quality against cost, with the points that nobody needs and the one where the curve bends.

use secateur::path::{PathPoint, PathReport};

use super::SIZE;
use crate::input::Table;
use crate::number::grouped;
use crate::outline::{Block, Figure, Section, Tile};
use crate::plot::{Axis, Ink, Layer, Mark, chart};

/// Series of the curve of validation rows, of the knee on it, and of what a drop chose.
const CURVE: usize = 0;
const KNEE: usize = 1;
const CHOSEN: usize = 2;

pub(crate) fn section(report: &PathReport) -> Section {
    let data = &report.data;
    let mut blocks = vec![
        Block::Text(format!(
            "{} features; {} rows to train, {} to validate, {} to test.",
            data.features, data.train_rows, data.validation_rows, data.test_rows
        )),
        Block::Tiles(tiles(report)),
        Block::Figure(figure(report)),
        Block::Table(table(report)),
    ];
    let mut remarks = report.remarks();
    remarks.extend_from_slice(&report.notes);
    remarks.extend_from_slice(&data.notes);
    blocks.insert(1, Block::List(remarks));
    Section {
        id: "path".into(),
        title: format!("Path on {}", data.name),
        blocks,
        ..Section::default()
    }
}

/// The start, the knee and the chosen point.
fn tiles(report: &PathReport) -> Vec<Tile> {
    let tile = |name: &str, point: &PathPoint| Tile {
        name: format!("{name}, {}", score_name(report)),
        value: report.score_text(point.validation_score),
        note: format!(
            "{} MACs, {:.1} % of the start",
            grouped(point.macs),
            100.0 * point.share
        ),
    };
    let chosen = report.chosen.as_ref().and_then(|c| c.point.as_deref());
    let named = [("knee", report.knee.as_deref()), ("chosen", chosen)];
    let start = report.points.first().map(|p| tile("start", p));
    let others = named
        .into_iter()
        .filter_map(|(name, point)| Some(tile(name, report.point(point?)?)));
    start.into_iter().chain(others).collect()
}

fn score_name(report: &PathReport) -> &'static str {
    match report.higher_is_better() {
        true => "validation accuracy (%)",
        false => "validation RMSE",
    }
}

/// A score in the unit of the axis.
fn shown(report: &PathReport, score: f64) -> f64 {
    match report.higher_is_better() {
        true => 100.0 * score,
        false => score,
    }
}

fn figure(report: &PathReport) -> Figure {
    let at = |p: &PathPoint| (p.macs as f64, shown(report, p.validation_score));
    let points = &report.points;
    let macs: Vec<f64> = points.iter().map(|p| p.macs as f64).collect();
    let scores: Vec<f64> = points.iter().map(|p| at(p).1).collect();
    let front = points.iter().filter(|p| !p.is_dominated).map(at).collect();
    let blot = |p: &PathPoint| {
        let ink = match p.is_dominated {
            true => Ink::Absent,
            false => Ink::Fill(CURVE),
        };
        (at(p), ink)
    };
    let mut layers = vec![
        Layer::Line(CURVE, front),
        Layer::Blots(points.iter().map(blot).collect()),
    ];
    let mut legend = vec![
        (Mark::Dot(Ink::Fill(CURVE)), "point".to_owned()),
        (
            Mark::Dot(Ink::Absent),
            "dominated: another has no more MACs and no worse score".to_owned(),
        ),
    ];
    let chosen = report.chosen.as_ref();
    let marked = [
        (KNEE, report.knee.as_deref(), "knee".to_owned()),
        (
            CHOSEN,
            chosen.and_then(|c| c.point.as_deref()),
            chosen.map_or(String::new(), |c| format!("smallest within {}", c.drop)),
        ),
    ];
    for (series, name, words) in marked {
        if let Some(point) = name.and_then(|name| report.point(name)) {
            let reach = (0.0, 0.0);
            layers.push(Layer::Point {
                series,
                at: at(point),
                reach,
            });
            legend.push((Mark::Point(series), words));
        }
    }
    let svg = chart(
        SIZE,
        &Axis::logarithmic("MACs a row", &macs),
        &Axis::around(score_name(report), &scores),
        &layers,
    );
    let better = match report.higher_is_better() {
        true => "Higher and further left is better.",
        false => "Lower and further left is better.",
    };
    Figure::new(
        "Quality against cost",
        alternative(report),
        svg,
        numbers(report),
    )
    .note(format!("{better} Validation rows, which decide."))
    .legend(legend)
}

fn alternative(report: &PathReport) -> String {
    let words = |p: &PathPoint| {
        format!(
            "{} {} at {} MACs",
            p.name,
            report.score_text(p.validation_score),
            grouped(p.macs)
        )
    };
    let points = &report.points;
    let ends = [points.first(), points.last()].into_iter().flatten();
    let ends: Vec<String> = ends.map(words).collect();
    let knee = match report.knee.as_deref().and_then(|k| report.point(k)) {
        Some(point) => format!("; knee: {}", words(point)),
        None => String::new(),
    };
    format!(
        "{} against MACs a row, {} points, from {}{knee}.",
        score_name(report),
        points.len(),
        ends.join(" to ")
    )
}

fn numbers(report: &PathReport) -> Table {
    let row = |p: &PathPoint| {
        vec![
            p.name.clone(),
            grouped(p.macs),
            report.score_text(p.validation_score),
            report.remark(p),
        ]
    };
    Table::of(
        &["point", "MACs a row", score_name(report), "remark"],
        report.points.iter().map(row).collect(),
    )
}

fn table(report: &PathReport) -> Table {
    Table {
        title: "Points".into(),
        note: Some(
            "Each is a verified model in the folder of its name. Test scores decide nothing."
                .into(),
        ),
        header: report.columns().into_iter().map(str::to_owned).collect(),
        rows: report.rows(),
    }
}

#[cfg(test)]
mod tests {
    use secateur::path::{Chosen, PATH_FORMAT, PathEnd};
    use secateur::{DataReport, Evidence, Machine};

    use super::*;

    fn point(number: usize, macs: u64, score: f64, is_dominated: bool) -> PathPoint {
        let verify = Evidence {
            runtime: "rten".into(),
            rows: 256,
            naive_rows: 256,
            runtime_difference: 0.0,
            engine_difference: 0.0,
            tolerance: 1e-4,
        };
        PathPoint {
            name: format!("point-{number:02}"),
            from: (number > 0).then(|| "point-00".into()),
            asked_share: macs as f64 / 8000.0,
            share: macs as f64 / 8000.0,
            macs,
            params: macs,
            bytes: 4 * macs,
            units: vec![8],
            validation_score: score,
            test_score: score - 0.01,
            epochs: 6,
            seconds: 0.5,
            is_dominated,
            verify,
        }
    }

    fn report(name: &str) -> PathReport {
        PathReport {
            format: PATH_FORMAT,
            secateur: "0".into(),
            config_hash: "0".into(),
            ended: PathEnd::Complete,
            start: "chain".into(),
            data: DataReport {
                name: name.into(),
                fingerprint: "0".into(),
                features: 8,
                train_rows: 60,
                validation_rows: 20,
                test_rows: 20,
                notes: vec![],
            },
            metric: "accuracy".into(),
            points_asked: 3,
            least_share: 0.125,
            strength: 1e-3,
            points: vec![
                point(0, 8000, 0.98, false),
                point(1, 4000, 0.96, true),
                point(2, 2000, 0.97, false),
                point(3, 1000, 0.75, false),
            ],
            knee: Some("point-02".into()),
            chosen: Some(Chosen {
                drop: "2pt".into(),
                limit: 0.96,
                point: Some("point-02".into()),
                nearest: None,
            }),
            notes: vec!["a note".into()],
            seconds: 2.0,
            machine: Machine {
                threads: 1,
                instruction_set: "avx2".into(),
                peak_memory_bytes: 0,
                planned_memory_bytes: 0,
            },
        }
    }

    #[test]
    fn dominated_points_the_knee_and_the_chosen_one_are_marked() {
        let figure = figure(&report("digits"));
        let svg = &figure.pictures[0].svg;
        // A blot for each, one of them grey, and a line through the other three.
        assert_eq!(svg.matches("<circle").count(), 4, "{svg}");
        assert_eq!(svg.matches("fill=\"#010004\"").count(), 1, "{svg}");
        let line = svg.split("stroke=\"#030000\"").nth(1).unwrap();
        let points = line.split('"').find(|part| part.contains(',')).unwrap();
        assert_eq!(points.split_whitespace().count(), 3, "{points}");
        for letter in [">B</text>", ">C</text>"] {
            assert!(svg.contains(letter), "{letter}");
        }
        assert!(svg.contains("MACs a row, logarithmic"), "{svg}");
        assert_eq!(figure.legend.len(), 4);
        assert_eq!(figure.numbers.rows[1][3], "dominated");
        assert_eq!(
            figure.pictures[0].alternative,
            "validation accuracy (%) against MACs a row, 4 points, from point-00 98.00 at 8,000 MACs to \
             point-03 75.00 at 1,000 MACs; knee: point-02 97.00 at 2,000 MACs."
        );
    }

    #[test]
    fn a_path_of_one_point_without_a_knee_has_a_page() {
        let mut report = report("digits");
        report.points.truncate(1);
        (report.knee, report.chosen) = (None, None);
        let page = crate::path_page(&report);
        assert!(page.contains("No knee") && page.contains("<svg"), "{page}");
    }

    #[test]
    fn the_page_says_its_title_once_and_takes_names_for_text() {
        let page = crate::path_page(&report("<script>alert(1)</script>"));
        assert!(!page.contains("<script"), "{page}");
        assert_eq!(page.matches("<h2>").count(), 0, "{page}");
        for told in [
            "Smallest within 2pt",
            "a note",
            "start, validation accuracy",
            "96.00",
        ] {
            assert!(page.contains(told), "{told}: {page}");
        }
    }
}
