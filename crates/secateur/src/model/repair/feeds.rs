//! Inputs of a model as they are named: pictures, arrays, tables, data sets and tensors.

use std::path::Path;

use secateur_data::{InputOptions, Pixels, Rows, Wanted, array_rows, read_input, read_inputs};
use secateur_graph::{Array, Dim, Element, ValueId, from_tensor};
use secateur_onnx::{Limits, read_tensor_file};
use secateur_prune::repair::Activation;

use super::inputs::{RepairInputs, divided};
use super::whole::check_whole;
use crate::job::RUN_PROPERTY;
use crate::model::ModelFile;
use crate::model::draw::ROWS;
use crate::spelt::by_channel;
use crate::{Config, Error, ErrorKind, Result};

impl ModelFile {
    /// Verifies what is made of this model on the first inputs of a repair that nothing is fitted on, instead of on drawn ones.
    ///
    /// # Errors
    /// If there are none.
    pub fn verify_on_inputs(&mut self, inputs: &RepairInputs) -> Result<()> {
        let of = |(&id, x): (&ValueId, Activation)| {
            let element = self.graph.value(id).element.unwrap_or(Element::F32);
            let values = x.values.iter().map(|&v| f64::from(v)).collect();
            let shape = x.shape;
            (element, Array { shape, values })
        };
        let batch = inputs.first(ROWS)?;
        self.given = Some(self.graph.inputs().iter().zip(batch).map(of).collect());
        Ok(())
    }

    /// Reads inputs to repair on: `sources` are `NAME=DATA` for each input of the model, or `DATA` alone where it has one or where
    /// an archive has an array for each. For what data may be, see [`read_input`]; tensors as in ONNX's own test data as well.
    ///
    /// # Errors
    /// If data cannot be read, do not fit an input, or are too few.
    pub fn read_inputs(&self, sources: &[String], options: &InputOptions) -> Result<RepairInputs> {
        let inputs = self.graph().inputs();
        let axes: Vec<Vec<Option<usize>>> = inputs.iter().map(|&id| self.axes(id)).collect();
        let name = |id: ValueId| self.graph().value(id).name.as_str();
        let wanted = inputs.iter().zip(&axes);
        let wanted = wanted.map(|(&id, axes)| Wanted {
            name: name(id),
            axes,
        });
        let wanted: Vec<Wanted<'_>> = wanted.collect();
        let named = |source: &str| {
            let (before, data) = source.split_once('=')?;
            let at = wanted.iter().position(|w| w.name == before)?;
            Some((at, data.to_owned()))
        };
        let rows = match sources {
            [only] if named(only).is_none() => match (&wanted[..], is_tensor(only)) {
                ([input], true) => vec![read_tensor(only, input, options)?],
                _ => read_inputs(only, &wanted, options)?,
            },
            _ => {
                let mut found: Vec<Option<Rows>> = wanted.iter().map(|_| None).collect();
                for source in sources {
                    let Some((at, data)) = named(source) else {
                        return Err(unnamed(source, &wanted));
                    };
                    if found[at].is_some() {
                        let message = format!("'{}' has inputs twice", wanted[at].name);
                        return Err(Error::usage(message)
                            .at("--repair")
                            .hint("give each input one"));
                    }
                    found[at] = Some(match is_tensor(&data) {
                        true => read_tensor(&data, &wanted[at], options)?,
                        false => read_input(&data, &wanted[at], options)?,
                    });
                }
                let missing = |at: usize| {
                    let message = format!("nothing is given for '{}'", wanted[at].name);
                    let hint = "give each input of the model its own, as NAME=FILE";
                    Error::usage(message).at("--repair").hint(hint)
                };
                let all = found.into_iter().enumerate();
                all.map(|(at, rows)| rows.ok_or_else(|| missing(at)))
                    .collect::<Result<_>>()?
            }
        };
        for (&id, rows) in inputs.iter().zip(&rows) {
            check_whole(rows, self.graph(), id)?;
        }
        divided(&rows, &wanted, options.seed)
    }

    /// Rows of the only input: their number and the lengths of one, their numbers, and what each is called.
    ///
    /// # Errors
    /// If they do not fit it, are too few, or there is another input.
    pub(crate) fn inputs_of(
        &self,
        (shape, values): (Vec<usize>, Vec<f32>),
        names: Vec<String>,
        seed: u64,
    ) -> Result<RepairInputs> {
        let &[input] = self.graph().inputs() else {
            let message = format!(
                "has {} inputs, and the rows are for one",
                self.graph().inputs().len()
            );
            return Err(Error::new(ErrorKind::Input, message).at(&self.name));
        };
        let axes = self.axes(input);
        let wanted = Wanted {
            name: &self.graph().value(input).name,
            axes: &axes,
        };
        let rows = Rows::fitted(shape, values, &wanted)?.named(names);
        divided(&[rows], &[wanted], seed)
    }

    /// How pixels of inputs are scaled: as the mean and standard deviation of `config` say, behind a largest pixel of `top`, which is 1
    /// unless the model scales pixels itself, as those do that a run wrote and those that take whole numbers.
    ///
    /// # Errors
    /// If one of them is no number that can be used.
    pub fn pixels(&self, config: &Config, top: Option<f32>) -> Result<Pixels> {
        let of = |flag, text: &Option<String>, plain: f32| match text {
            Some(text) => by_channel(flag, text),
            None => Ok(vec![plain]),
        };
        let is_whole = |&id: &ValueId| {
            let element = self.graph().value(id).element;
            self.axes(id).len() == 4 && element.is_some_and(|e| !e.is_float())
        };
        let takes_bytes = self.is_run() || self.graph().inputs().iter().any(is_whole);
        let pixels = Pixels {
            top: top.unwrap_or(if takes_bytes { 255.0 } else { 1.0 }),
            mean: of("--mean", &config.mean, 0.0)?,
            std: of("--std", &config.std, 1.0)?,
        };
        let is_above = |v: &f32| v.is_finite() && *v > 0.0;
        let is_fine = [
            ("--scale", is_above(&pixels.top)),
            ("--mean", pixels.mean.iter().all(|m| m.is_finite())),
            ("--std", pixels.std.iter().all(is_above)),
        ];
        match is_fine.iter().find(|(_, is_fine)| !is_fine) {
            None => Ok(pixels),
            Some((flag, _)) => {
                let message = "a mean is a finite number, a largest pixel and a standard deviation are above 0";
                Err(Error::usage(message)
                    .at(*flag)
                    .hint("give them as the model was trained with: --mean 0.485,0.456,0.406 --std 0.229,0.224,0.225"))
            }
        }
    }

    /// Whether a run wrote it, so that it scales pixels itself.
    pub fn is_run(&self) -> bool {
        let mut properties = self.model.metadata_props.iter();
        properties.any(|p| p.key.as_deref() == Some(RUN_PROPERTY))
    }

    /// Lengths of an input's axes; none where one is open.
    fn axes(&self, id: ValueId) -> Vec<Option<usize>> {
        let shape = self.sized().value(id).shape.as_deref();
        shape.unwrap_or_default().iter().map(Dim::fixed).collect()
    }
}

fn is_tensor(path: &str) -> bool {
    path.ends_with(".pb")
}

fn read_tensor(path: &str, wanted: &Wanted<'_>, options: &InputOptions) -> Result<Rows> {
    let bad = |message: String| Error::new(ErrorKind::Input, message).at(path);
    let message =
        read_tensor_file(Path::new(path), &Limits::default()).map_err(|e| bad(e.to_string()))?;
    let tensor = from_tensor(&message).map_err(|e| bad(e.to_string()))?;
    let tensor = tensor.ok_or_else(|| bad("holds no numbers that can be computed with".into()))?;
    let values = tensor.numbers().into_iter().map(|v| v as f32).collect();
    let shape = tensor.shape().to_vec();
    let are_bytes = tensor.element() == Element::U8;
    let rows = array_rows((shape, values), are_bytes, wanted, options);
    Ok(rows.map_err(|e| e.in_file(path))?)
}

fn unnamed(source: &str, wanted: &[Wanted<'_>]) -> Error {
    let names: Vec<&str> = wanted.iter().map(|w| w.name).collect();
    let message = format!("'{source}' does not say which input it is for");
    Error::usage(message).at("--repair").hint(format!(
        "write NAME=FILE; the inputs are {}",
        names.join(", ")
    ))
}
