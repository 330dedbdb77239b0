//! Choices that are spelt with numbers in them, such as `step:3:0.1`, `huber:1` or `400-300-100`.

use secateur_data::Augment;
use secateur_train::{Decay, Init, RegressionLoss, RemovalTime, StrengthChoice};

use crate::choice::{choose, unknown};
use crate::{Error, Result};

/// `flip`, `crop:4`, `flip+crop:4` or `none`.
pub(crate) fn augment(text: &str) -> Result<Augment> {
    let mut augment = Augment {
        flip: false,
        crop_padding: 0,
    };
    let changes = text.split('+').filter(|_| !matches!(text, "" | "none"));
    for part in changes {
        match part.strip_prefix("crop:") {
            Some(pixels) => augment.crop_padding = number("--augment", pixels, "crop:4")?,
            None => {
                augment.flip = choose("--augment", part, &[("flip", true)])
                    .map_err(|e| e.hint("use none, flip, crop:4 or flip+crop:4"))?;
            }
        }
    }
    Ok(augment)
}

/// Height and width, such as `64x64`.
pub(crate) fn size(text: &str) -> Result<(usize, usize)> {
    let parsed = text
        .split_once('x')
        .and_then(|(h, w)| Some((h.parse().ok()?, w.parse().ok()?)));
    parsed
        .filter(|&(h, w): &(usize, usize)| h > 0 && w > 0)
        .ok_or_else(|| {
            Error::usage(format!("'{text}' is no height and width"))
                .at("--size")
                .hint("give both in pixels, such as 64x64")
        })
}

/// A number, or one for each channel, joined by commas.
pub(crate) fn by_channel(flag: &str, text: &str) -> Result<Vec<f32>> {
    let numbers: Result<Vec<f32>, _> = text.split(',').map(|n| n.trim().parse::<f32>()).collect();
    numbers.map_err(|_| {
        Error::usage(format!("'{text}' is no number, nor one for each channel"))
            .at(flag)
            .hint("such as 0.5, or 0.49,0.48,0.45")
    })
}

pub(crate) fn strength(text: &str) -> Result<StrengthChoice> {
    if text == "auto" {
        return Ok(StrengthChoice::Balance(1.0));
    }
    match text.parse::<f64>() {
        Ok(lambda) if lambda.is_finite() && lambda >= 0.0 => Ok(StrengthChoice::Fixed(lambda)),
        _ => Err(Error::usage(format!("'{text}' is not a strength"))
            .at("--strength")
            .hint("give zero, a positive number such as 1e-4, or auto")),
    }
}

pub(crate) fn removal(text: &str) -> Result<RemovalTime> {
    match text.strip_prefix("steps:") {
        Some(steps) => Ok(RemovalTime::Steps(number("--removal", steps, "steps:50")?)),
        None => choose(
            "--removal",
            text,
            &[("epoch", RemovalTime::Epoch), ("end", RemovalTime::End)],
        )
        .map_err(|e| e.hint("use epoch, end or steps:50")),
    }
}

pub(crate) fn decay(text: &str) -> Result<Decay> {
    if let Some(rest) = text.strip_prefix("step:") {
        let (stages, factor) = rest.split_once(':').unwrap_or((rest, "0.1"));
        return Ok(Decay::Step {
            stages: number("--schedule", stages, "step:3:0.1")?,
            factor: number("--schedule", factor, "step:3:0.1")?,
        });
    }
    choose(
        "--schedule",
        text,
        &[("cosine", Decay::Cosine), ("constant", Decay::Constant)],
    )
    .map_err(|e| e.hint("use cosine, constant or step:3:0.1"))
}

pub(crate) fn regression_loss(text: &str) -> Result<RegressionLoss> {
    if let Some(delta) = text.strip_prefix("huber:") {
        let delta: f64 = number("--loss", delta, "huber:1")?;
        return match delta.is_finite() && delta > 0.0 {
            true => Ok(RegressionLoss::Huber { delta }),
            false => Err(Error::usage(format!("{delta} is not a positive number")).at("--loss")),
        };
    }
    match text {
        "cross-entropy" | "double-softmax" | "mse" => Ok(RegressionLoss::MeanSquared),
        "mae" => Ok(RegressionLoss::MeanAbsolute),
        "huber" => Ok(RegressionLoss::Huber { delta: 1.0 }),
        _ => Err(unknown(
            "--loss",
            text,
            &["cross-entropy", "mse", "mae", "huber:1"],
        )),
    }
}

pub(crate) fn init(text: &str) -> Result<Init> {
    let Some(rest) = text.strip_prefix("truncated-normal:") else {
        return choose("--init", text, &[("scaled", Init::Scaled)])
            .map_err(|e| e.hint("use scaled or truncated-normal:0.1"));
    };
    let (deviation, bias) = rest.split_once(':').unwrap_or((rest, "0"));
    let law = Init::TruncatedNormal {
        deviation: number("--init", deviation, "truncated-normal:0.1:0.1")?,
        bias: number("--init", bias, "truncated-normal:0.1:0.1")?,
    };
    Ok(law.checked()?)
}

pub(crate) fn widths(text: &str) -> Result<Vec<usize>> {
    let width = |part: &str| match part.parse::<usize>() {
        Ok(0) => Err(Error::usage("a layer of width 0 passes nothing on")
            .at("--net")
            .hint("give every hidden layer at least one unit, for example 64-32")),
        Ok(width) => Ok(width),
        Err(_) => Err(Error::usage(format!("'{part}' is not a width"))
            .at("--net")
            .hint("join whole numbers by dashes, for example 64-32")),
    };
    text.split('-').map(width).collect()
}

fn number<T: std::str::FromStr>(place: &str, text: &str, example: &str) -> Result<T> {
    text.parse().map_err(|_| {
        Error::usage(format!("'{text}' is not a number that fits"))
            .at(place)
            .hint(format!("for example {example}"))
    })
}
