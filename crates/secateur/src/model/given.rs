//! Inputs that the user gives for verification: a file with a tensor for each, as the test data of ONNX are.

use std::path::Path;

use secateur_graph::{Array, Dim, Element, from_tensor};
use secateur_onnx::{Limits, read_tensor_file};

use super::ModelFile;
use super::describe::shape;
use crate::{Error, ErrorKind, Result};

impl ModelFile {
    /// Verifies what is made of this model on the tensors in these files, one for each input in the order of the model, instead
    /// of on drawn ones.
    ///
    /// # Errors
    /// If there are not as many files as inputs, or one cannot be read or does not fit its input.
    pub fn verify_on(&mut self, files: &[impl AsRef<Path>]) -> Result<()> {
        let inputs = self.graph.inputs();
        if files.len() != inputs.len() {
            let all: Vec<&str> = inputs
                .iter()
                .map(|&id| self.graph.value(id).name.as_str())
                .collect();
            return Err(Error::usage(format!(
                "{} tensors are given, and the model has {} inputs: {}",
                files.len(),
                all.len(),
                all.join(", ")
            ))
            .at("--input"));
        }
        let read = |(&id, path): (_, &_)| {
            let path: &Path = AsRef::as_ref(path);
            let bad = |message: String| {
                Error::new(ErrorKind::Input, message)
                    .at(path.display().to_string())
                    .hint("onnx.numpy_helper.from_array makes such a tensor, SerializeToString what the file holds")
            };
            let message =
                read_tensor_file(path, &Limits::default()).map_err(|e| bad(e.to_string()))?;
            let tensor = from_tensor(&message).map_err(|e| bad(e.to_string()))?;
            let tensor =
                tensor.ok_or_else(|| bad("holds no numbers that can be computed with".into()))?;
            let value = self.graph.value(id);
            let element = value.element.unwrap_or(Element::F32);
            // At the lengths that were given, if any were.
            let lengths = self.sized().value(id).shape.as_deref();
            let lengths = lengths.unwrap_or_default();
            let fits = lengths
                .iter()
                .zip(tensor.shape())
                .all(|(dim, &own)| match dim {
                    Dim::Fixed(length) => *length == own,
                    Dim::Named(_) => own > 0,
                });
            if tensor.element() != element || lengths.len() != tensor.shape().len() || !fits {
                return Err(bad(format!(
                    "is {:?} {:?}, but '{}' is {element:?} {}",
                    tensor.element(),
                    tensor.shape(),
                    value.name,
                    shape(self.sized(), id)
                )));
            }
            Ok((element, Array::from(&tensor)))
        };
        self.given = Some(inputs.iter().zip(files).map(read).collect::<Result<_>>()?);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use secateur_graph::{ModelMeta, Unary, to_model};
    use secateur_testkit::mlp;

    use super::*;
    use crate::{Choice, shrink_model};

    #[test]
    fn results_are_verified_on_what_is_given() {
        let folder = tempfile::tempdir().unwrap();
        let graph = mlp(&[3, 4, 2], Unary::Relu, 1).unwrap();
        let model = to_model(&graph, &ModelMeta::default()).unwrap();
        let mut file = ModelFile::of("m".into(), model, graph, 0).unwrap();
        let put = |name: &str, shape: &[usize], values: &[f32]| {
            let tensor = secateur_onnx::f32_tensor("x", shape, values).unwrap();
            let path = folder.path().join(name);
            std::fs::write(&path, secateur_onnx::write_tensor(&tensor).unwrap()).unwrap();
            path
        };
        let zeros = put("zeros", &[1, 3], &[0.0; 3]);
        file.verify_on(&[&zeros]).unwrap();
        let half = Choice::of("50%".parse().unwrap());
        let small = shrink_model(&file, &half).unwrap();
        // The biases of this network are not 0, so that it is not the input alone that decides.
        assert!(
            small.verified().contains("on the given inputs"),
            "{}",
            small.verified()
        );
        let rows = put("rows", &[2, 3], &[1.0, -1.0, 2.0, 0.5, 3.0, -2.0]);
        file.verify_on(&[&rows]).unwrap();
        let other = shrink_model(&file, &half).unwrap();
        assert_ne!(
            small.evidence().masking_moved,
            other.evidence().masking_moved
        );

        let wrong = put("wrong", &[1, 4], &[0.0; 4]);
        let error = file.verify_on(&[&wrong]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Input);
        assert!(error.to_string().contains("[1, 4]"), "{error}");
        assert!(file.verify_on(&[&zeros, &zeros]).is_err());
        assert!(file.verify_on(&[folder.path()]).is_err());
        std::fs::write(&wrong, b"no tensor").unwrap();
        assert!(file.verify_on(&[&wrong]).is_err());
    }
}
