//! Whole pictures as they are drawn: one element a line, so that what moved is seen.

use super::*;

fn lines(svg: &str) -> String {
    svg.replace("><", ">\n<")
}

#[test]
fn a_chart_of_every_layer() {
    let x = Axis::counted("epoch", &[1.0, 9.0]);
    let y = Axis::fitting("loss", &[0.02, 3.0]);
    let layers = [
        Layer::Band(6.0, 9.0),
        Layer::Level {
            from: 0.05,
            at: 0.07,
            to: 0.1,
        },
        Layer::Line(0, vec![(1.0, 3.0), (5.0, 0.5), (9.0, 0.02)]),
        Layer::Dots(Ink::Muted, vec![(2.0, 1.0), (3.0, 0.9)]),
        Layer::Blots(vec![((4.0, 0.4), Ink::Fill(1)), ((7.0, 0.2), Ink::Fill(2))]),
        Layer::Point {
            series: 3,
            at: (8.0, 0.3),
            reach: (0.5, 0.1),
        },
    ];
    insta::assert_snapshot!(lines(&chart((440, 280), &x, &y, &layers)));
}

#[test]
fn bars_of_parts_with_names_and_numbers() {
    let bar = |name: &str, value: &str, parts: &[f64]| Bar {
        name: name.into(),
        value: value.into(),
        parts: parts
            .iter()
            .enumerate()
            .map(|(i, &n)| (Ink::Fill(i), n))
            .collect(),
    };
    let all = [
        bar("the first", "3 s", &[1.0, 2.0]),
        bar("the second", "0.5 s", &[0.5]),
    ];
    insta::assert_snapshot!(lines(&bars(440, "seconds", &all)));
}

#[test]
fn cells_and_markers() {
    let inks = [
        Ink::Absent,
        Ink::Step(0),
        Ink::Step(3),
        Ink::Step(3),
        Ink::Absent,
    ];
    let markers: Vec<String> = (0..5).map(|series| key(&Mark::Point(series))).collect();
    let all = [cells(90, 3, &inks), markers.concat()].join("\n");
    insta::assert_snapshot!(lines(&all));
}
