//! Untrained networks by name, as ONNX files.

use std::io;
use std::path::Path;

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use secateur_graph::{
    Array, Cost, Graph, ModelMeta, cost, evaluate, from_model, infer_shapes, to_model,
};
use secateur_onnx::{Limits, read, write};
use secateur_train::Init;

use super::check::{NAIVE_MACS, TOLERANCE, finite};
use super::draw::{ROWS, draw};
use super::start::{Start, by_flag};
use super::work::work;
use crate::job::WEIGHT_STREAM;
use crate::markdown::grouped;
use crate::runtime::{NAME, Runtime};
use crate::verify::furthest;
use crate::whole_file::write_whole;
use crate::{Error, ErrorKind, Result};

/// The file of an untrained network, which was read back and run.
#[derive(Debug, Clone)]
pub struct NewModel {
    start: Start,
    bytes: Vec<u8>,
    cost: Cost,
    /// Largest relative difference of the independent runtime from the naive evaluator; none where that was not run.
    difference: Option<f64>,
}

/// Makes the network, with `image` `[batch, channels, height, width]` as input and `logits` `[batch, classes]` as output, reads its
/// file back and runs that on drawn images: on the independent runtime and, unless that would take long, on the naive evaluator.
///
/// # Errors
/// If a size makes no sense, the network would be too large to be run here, or outputs differ.
pub fn new_model(start: &Start) -> Result<NewModel> {
    let mut rng = ChaCha8Rng::seed_from_u64(start.seed);
    rng.set_stream(WEIGHT_STREAM);
    let Start {
        input,
        classes,
        width,
        ..
    } = *start;
    let graph = start
        .architecture
        .build(input, classes, width, Init::Scaled, &mut rng)
        .map_err(|e| by_flag(&e))?;
    let too_large = |what: String| {
        Error::usage(what)
            .at("--input")
            .hint("nothing was written; give smaller images")
    };
    let graph = infer_shapes(&graph).map_err(|e| too_large(e.to_string()))?;
    let work = work(&graph).map_err(|e| too_large(e.to_string()))?;
    let bytes = write(&to_model(&graph, &meta(start))?)?;
    let difference = verify(&graph, &bytes, work, start.seed)?;
    Ok(NewModel {
        start: *start,
        cost: cost(&graph)?,
        bytes,
        difference,
    })
}

fn meta(start: &Start) -> ModelMeta {
    let property = |name: &str, value: String| (format!("secateur.{name}"), value);
    ModelMeta {
        properties: vec![
            property("network", start.architecture.to_string()),
            property("width", start.width.to_string()),
            property("seed", start.seed.to_string()),
        ],
        ..ModelMeta::default()
    }
}

/// The largest relative difference of the file on the independent runtime from the network on the naive evaluator, if
/// that is run.
fn verify(graph: &Graph, bytes: &[u8], work: u64, seed: u64) -> Result<Option<f64>> {
    let failed = |message: String| {
        Error::new(ErrorKind::Verification, message)
            .hint("nothing was written; this is a defect: please report it with the command")
    };
    let back = read(bytes, &Limits::default())
        .map_err(|e| failed(format!("the file does not read back: {e}")))?;
    let back = from_model(&back)?;
    let drawn = draw(graph, seed, ROWS);
    let have = Runtime::load(bytes)?.run_all(&drawn)?;
    finite(&have)?;
    if work > NAIVE_MACS {
        return Ok(None);
    }
    let inputs: Vec<Array> = drawn.into_iter().map(|(_, array)| array).collect();
    let run = |graph: &Graph| -> Result<Vec<Vec<f64>>> {
        let outputs = evaluate(graph, &inputs)?;
        Ok(outputs.into_iter().map(|array| array.values).collect())
    };
    let want = run(graph)?;
    if want != run(&back)? {
        return Err(failed(
            "the file read back computes something else than the network".into(),
        ));
    }
    let have: Vec<Vec<f64>> = have
        .iter()
        .map(|output| output.iter().map(|&v| f64::from(v)).collect())
        .collect();
    let difference = furthest(&want, &have);
    match difference <= TOLERANCE {
        true => Ok(Some(difference)),
        false => Err(failed(format!(
            "outputs of {NAME} differ by {difference:.2e} (relative), more than {TOLERANCE:.0e}"
        ))),
    }
}

impl NewModel {
    /// The content of the file.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// What the network costs.
    pub fn cost(&self) -> &Cost {
        &self.cost
    }

    /// Sizes, and how it was verified: a line each.
    pub fn lines(&self) -> Vec<String> {
        let Start {
            architecture,
            input,
            ..
        } = self.start;
        let sizes = format!(
            "{architecture} for {input}: {} params, {} MACs an image, {} bytes; untrained",
            grouped(self.cost.params),
            grouped(self.cost.macs),
            grouped(self.bytes.len() as u64)
        );
        let verified = match self.difference {
            Some(difference) => format!(
                "verified on {ROWS} drawn images: {NAME} differs by {difference:.1e} (relative) from the naive evaluator"
            ),
            None => format!(
                "verified on {ROWS} drawn images: {NAME} runs it; it is too large for the naive evaluator"
            ),
        };
        vec![sizes, verified]
    }

    /// Writes the file, which has its name only once it is whole.
    ///
    /// # Errors
    /// If it cannot be written: then what was there before is as it was.
    pub fn write(&self, path: &Path) -> Result<()> {
        write_whole(path, &self.bytes).map_err(|e: io::Error| {
            Error::new(ErrorKind::Environment, e.to_string())
                .at(path.display().to_string())
                .hint("choose a place that can be written: --out")
        })
    }
}

#[cfg(test)]
mod tests {
    use secateur_graph::{Binary, Dim, GraphBuilder, Op, Tensor};
    use secateur_train::{Architecture, ImageSize};

    use super::*;
    use crate::ModelFile;

    fn small(name: &str) -> Start {
        let start = Start::named(name).unwrap();
        let side = if name == "lenet5" { 16 } else { 8 };
        Start {
            input: ImageSize::new(1, side, side),
            width: 0.25,
            classes: 3,
            ..start
        }
    }

    #[test]
    fn every_network_is_written_and_read_as_any_other_model() {
        let folder = tempfile::tempdir().unwrap();
        for architecture in Architecture::ALL {
            let made = new_model(&small(architecture.name())).unwrap();
            assert!(made.difference.unwrap() < 1e-5, "{architecture}");
            let path = folder.path().join("net.onnx");
            made.write(&path).unwrap();
            let file = ModelFile::read(&path).unwrap();
            assert_eq!(file.cost().macs, made.cost().macs, "{architecture}");
            assert_eq!(file.bytes(), made.bytes().len() as u64);
        }
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn the_seed_decides_every_byte() {
        let of = |seed| {
            let start = Start {
                seed,
                ..small("resnet20")
            };
            new_model(&start).unwrap().bytes
        };
        assert_eq!(of(1), of(1));
        assert_ne!(of(1), of(2));
    }

    #[test]
    fn a_large_network_is_run_but_not_naively() {
        let large = Start {
            input: ImageSize::new(3, 80, 80),
            ..Start::named("resnet20").unwrap()
        };
        let made = new_model(&large).unwrap();
        assert!(made.lines()[1].contains("too large"), "{:?}", made.lines());
    }

    #[test]
    fn what_is_not_what_was_built_is_refused() {
        let graph = |seed| {
            let mut rng = ChaCha8Rng::seed_from_u64(seed);
            let start = small("lenet300");
            let graph = start.architecture;
            let graph = graph.build(start.input, 3, 0.25, Init::Scaled, &mut rng);
            infer_shapes(&graph.unwrap()).unwrap()
        };
        let bytes = write(&to_model(&graph(2), &ModelMeta::default()).unwrap()).unwrap();
        assert!(verify(&graph(2), &bytes, 0, 0).is_ok());
        let error = verify(&graph(1), &bytes, 0, 0).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Verification);
        assert!(
            error.to_string().starts_with("the file read back"),
            "{error}"
        );
        assert!(verify(&graph(2), &bytes[..bytes.len() / 2], 0, 0).is_err());
    }
    /// What the runtime alone computes otherwise, as single precision loses it.
    #[test]
    fn outputs_of_the_runtime_that_differ_are_refused() {
        let verified = |numbers: &[f32]| {
            let mut b = GraphBuilder::new("g");
            let mut y = b.input("x", [Dim::batch(), Dim::Fixed(2)]);
            for (i, &number) in numbers.iter().enumerate() {
                let c = b.constant(format!("c{i}"), Tensor::f32([2], vec![number; 2]).unwrap());
                y = b.node(format!("y{i}"), Op::Binary(Binary::Add), &[y, c]);
            }
            b.output(y);
            let graph = b.build().unwrap();
            let bytes = write(&to_model(&graph, &ModelMeta::default()).unwrap()).unwrap();
            verify(&graph, &bytes, 0, 0)
        };
        assert!(verified(&[1.0, -1.0]).unwrap().unwrap() < 1e-5);
        let error = verified(&[32768.0, -32768.0]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Verification);
        let text = error.to_string();
        assert!(text.starts_with("outputs of rten 0.27 differ by"), "{text}");
    }
}
