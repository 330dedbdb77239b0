//! What can be known of a model before anything is ranked or trained: whether its result could be written and verified.

use secateur_onnx::write_parts;

use super::ModelFile;
use super::check::{Models, check};
use super::files::LOCATION;
use crate::Result;

impl ModelFile {
    /// Writes the model as it is, reads it back and runs it, as is done with what is made of it.
    ///
    /// # Errors
    /// If nothing here can run it, so that no result could be verified.
    pub fn verify_beforehand(&self, seed: u64) -> Result<()> {
        let parts = write_parts(self.patched(&self.graph)?, LOCATION)?;
        let models = Models {
            file: self,
            masked: &|| Ok(self.graph.clone()),
            is_masked: false,
            small: &parts,
        };
        check(&models, seed)
            .map(drop)
            .map_err(|e| e.or_at(&self.name))
    }
}

#[cfg(test)]
mod tests {
    use secateur_graph::{ModelMeta, Unary, to_model};
    use secateur_testkit::mlp;

    use super::*;
    use crate::ErrorKind;

    #[test]
    fn what_cannot_be_run_is_known_before_anything_is_chosen() {
        let graph = mlp(&[3, 4, 2], Unary::Relu, 1).unwrap();
        let mut model = to_model(&graph, &ModelMeta::default()).unwrap();
        let file = ModelFile::of("m".into(), model.clone(), graph, 0).unwrap();
        file.verify_beforehand(0).unwrap();
        // Between two nodes that are not understood nothing tells a shape.
        let network = model.graph.as_option_mut().unwrap();
        let at = (network.node.iter())
            .position(|node| node.op_type.as_deref() == Some("Relu"))
            .unwrap();
        network.node[at].op_type = Some("Mystery".into());
        let mut second = network.node[at].clone();
        second.name = Some("second".into());
        second.input = vec!["between".into()];
        network.node[at].output = vec!["between".into()];
        network.node.insert(at + 1, second);
        let graph = secateur_graph::from_model(&model).unwrap();
        let file = ModelFile::of("m".into(), model, graph, 0).unwrap();
        let error = file.verify_beforehand(0).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Verification);
        assert!(
            error.to_string().starts_with("m: nothing here can run"),
            "{error}"
        );
    }
}
