//! Which features are still read: a heat map of pixels, or bars.

use secateur::{InputsRecord, RunRecord};

use super::SIZE;
use crate::input::Table;
use crate::number::{grouped, significant};
use crate::outline::{Block, Figure};
use crate::plot::{Bar, Ink, Mark, STEPS, bars, cells};

/// Features that are drawn.
const SHOWN: usize = 20;
/// Pictures up to this wide have their numbers cell by cell.
const CELLS: usize = 32;

pub(super) fn blocks(run: &RunRecord) -> Vec<Block> {
    let inputs = &run.inputs;
    let figure = match inputs.image {
        Some([height, width, channels]) if height * width * channels == inputs.names.len() => {
            pixels(inputs, [height, width, channels])
        }
        _ => features(inputs),
    };
    vec![Block::Figure(figure)]
}

/// The norm of every feature, by its index; `None` where it is not read.
fn norms(inputs: &InputsRecord) -> Vec<Option<f64>> {
    let mut norms = vec![None; inputs.names.len()];
    for (&index, &norm) in inputs.read.iter().zip(&inputs.norms) {
        if let Some(place) = norms.get_mut(index) {
            *place = Some(f64::from(norm));
        }
    }
    norms
}

fn pixels(inputs: &InputsRecord, [height, width, channels]: [usize; 3]) -> Figure {
    let by_feature = norms(inputs);
    // A pixel is read where any of its channels is; it counts by the norm over all of them.
    let by_pixel: Vec<Option<f64>> = by_feature
        .chunks(channels.max(1))
        .map(|all| {
            let read: Vec<f64> = all.iter().flatten().copied().collect();
            let square: f64 = read.iter().map(|n| n * n).sum();
            (!read.is_empty()).then(|| square.sqrt())
        })
        .collect();
    let most = by_pixel.iter().flatten().copied().fold(0.0, f64::max);
    let ink = |norm: &Option<f64>| norm.and_then(|n| Ink::of_scale(n, 0.0, most));
    let inks: Vec<Ink> = by_pixel
        .iter()
        .map(|n| ink(n).unwrap_or(Ink::Absent))
        .collect();
    let read = by_pixel.iter().flatten().count();
    let strongest = by_pixel
        .iter()
        .enumerate()
        .max_by(|a, b| a.1.unwrap_or(-1.0).total_cmp(&b.1.unwrap_or(-1.0)))
        .map_or(0, |(index, _)| index);
    let alternative = format!(
        "Pixels that are read: {} of {} in pictures of {height} by {width}. The strongest norm is {}, at row {} \
         and column {}; {} of the {} pixels at the border are read.",
        grouped(read as u64),
        grouped(by_pixel.len() as u64),
        significant(most),
        strongest / width.max(1) + 1,
        strongest % width.max(1) + 1,
        border(&by_pixel, width, height)
            .filter(Option::is_some)
            .count(),
        border(&by_pixel, width, height).count(),
    );
    Figure::new(
        "Pixels that are still read",
        alternative,
        cells(340, width, &inks),
        pixel_table(&by_pixel, width),
    )
    .note(NORM)
    .legend(scale(0.0, most, Some("not read")))
}

const NORM: &str = "Colour is the norm of a pixel's outgoing weights in the first layer.";

fn border(
    pixels: &[Option<f64>],
    width: usize,
    height: usize,
) -> impl Iterator<Item = Option<f64>> {
    let edge = move |at: usize, end: usize| at == 0 || at + 1 == end;
    let inside = move |index: usize| edge(index / width, height) || edge(index % width, width);
    pixels
        .iter()
        .enumerate()
        .filter(move |(i, _)| inside(*i))
        .map(|(_, n)| *n)
}

/// The colour scale as a legend, least first.
pub(super) fn scale(least: f64, most: f64, absent: Option<&str>) -> Vec<(Mark, String)> {
    let bound = |step: usize| least + (most - least) * step as f64 / STEPS as f64;
    let absent = absent.map(|name| (Mark::Area(Ink::Absent), name.to_owned()));
    let steps = (0..STEPS).map(|step| {
        let words = match step + 1 == STEPS {
            true => format!("to {}", significant(most)),
            false => format!("to {}", significant(bound(step + 1))),
        };
        (Mark::Area(Ink::Step(step)), words)
    });
    absent.into_iter().chain(steps).collect()
}

fn pixel_table(pixels: &[Option<f64>], width: usize) -> Table {
    let width = width.max(1);
    if width > CELLS {
        let rows = pixels.chunks(width).enumerate().map(|(row, line)| {
            let read: Vec<f64> = line.iter().flatten().copied().collect();
            let mean = read.iter().sum::<f64>() / read.len().max(1) as f64;
            vec![
                (row + 1).to_string(),
                read.len().to_string(),
                significant(mean),
            ]
        });
        return Table::of(&["row", "pixels read", "mean norm"], rows.collect());
    }
    let names: Vec<String> = (1..=width).map(|c| c.to_string()).collect();
    let mut header = vec!["row"];
    header.extend(names.iter().map(String::as_str));
    let cell = |norm: &Option<f64>| norm.map_or("–".to_owned(), |n| format!("{n:.2}"));
    let rows = pixels.chunks(width).enumerate().map(|(row, line)| {
        let mut cells = vec![(row + 1).to_string()];
        cells.extend(line.iter().map(cell));
        cells
    });
    let mut table = Table::of(&header, rows.collect());
    table.note = Some("Norms by row and column; – where a pixel is not read.".to_owned());
    table
}

fn features(inputs: &InputsRecord) -> Figure {
    let mut read: Vec<(&str, f64)> = norms(inputs)
        .into_iter()
        .zip(&inputs.names)
        .filter_map(|(norm, name)| Some((name.as_str(), norm?)))
        .collect();
    read.sort_by(|a, b| b.1.total_cmp(&a.1));
    let unread = inputs.names.len() - read.len();
    let bar = |&(name, norm): &(&str, f64)| Bar {
        name: name.to_owned(),
        value: significant(norm),
        parts: vec![(Ink::Fill(0), norm)],
    };
    let drawn: Vec<Bar> = read.iter().take(SHOWN).map(bar).collect();
    let top: Vec<String> = read
        .iter()
        .take(3)
        .map(|(name, norm)| format!("{name} {}", significant(*norm)))
        .collect();
    let mut alternative = format!(
        "Features that are read: {} of {}.",
        grouped(read.len() as u64),
        grouped(inputs.names.len() as u64)
    );
    if !top.is_empty() {
        alternative += &format!(" The strongest norms: {}.", top.join(", "));
    }
    let mut note =
        "Length is the norm of a feature's outgoing weights in the first layer, features \
                    standardised."
            .to_owned();
    if read.len() > SHOWN {
        note += &format!(
            " The {SHOWN} strongest are drawn; {} more are read.",
            read.len() - SHOWN
        );
    }
    if unread > 0 {
        note += &format!(
            " {} not read.",
            if unread == 1 {
                "One is".into()
            } else {
                format!("{unread} are")
            }
        );
    }
    let rows = read
        .iter()
        .map(|(name, norm)| vec![(*name).to_owned(), significant(*norm)]);
    let numbers = Table::of(&["feature", "norm"], rows.collect());
    Figure::new(
        "Features that are still read",
        alternative,
        bars(SIZE.0, "norm", &drawn),
        numbers,
    )
    .note(note)
}
