//! A model whose numbers its network holds: half the memory while both are needed.

use secateur_onnx::proto::{ModelProto, TensorProto};

use crate::Graph;

/// Leaves the numbers of a model's initializers to the network that was read from it; [`crate::patch`] puts them
/// back, bit by bit.
///
/// Numbers that the file does not hold as raw data stay, as they could not be put back as they were.
pub fn lighten(model: &mut ModelProto, network: &Graph) {
    let Some(graph) = model.graph.as_option_mut() else {
        return;
    };
    for tensor in &mut graph.initializer {
        let name = tensor.name.as_deref().unwrap_or_default();
        let held = network
            .value_named(name)
            .and_then(|id| network.constant(id));
        let has_raw = tensor.raw_data.as_ref().is_some_and(|raw| !raw.is_empty());
        if held.is_some() && has_raw {
            tensor.raw_data = None;
        }
    }
}

/// Whether the numbers of a tensor that has some are left to a network: it says nowhere what they are. A network is
/// read only once data in other files are taken in, so those are left to it as well.
pub(crate) fn is_light(tensor: &TensorProto) -> bool {
    tensor.raw_data.is_none()
        && tensor.float_data.is_empty()
        && tensor.int32_data.is_empty()
        && tensor.int64_data.is_empty()
        && tensor.double_data.is_empty()
        && tensor.uint64_data.is_empty()
        && tensor.string_data.is_empty()
}

#[cfg(test)]
mod tests {
    use secateur_onnx::proto::TensorProto;

    use super::*;
    use crate::{Dim, GraphBuilder, ModelMeta, Op, Tensor, from_model, patch, to_model};

    #[test]
    fn what_was_left_to_the_network_comes_back_bit_by_bit() {
        let odd = f32::from_bits(0x7fc0_1234);
        let mut b = GraphBuilder::new("g");
        let x = b.input("x", [Dim::batch(), Dim::Fixed(2)]);
        let raw = b.constant("raw", Tensor::f32([2, 1], vec![odd, -0.0]).unwrap());
        let h = b.node("h", Op::MatMul, &[x, raw]);
        let typed = b.constant("typed", Tensor::f32([1, 1], vec![2.0]).unwrap());
        let y = b.node("y", Op::MatMul, &[h, typed]);
        b.output(y);
        let mut model = to_model(&b.build().unwrap(), &ModelMeta::default()).unwrap();
        let graph = model.graph.as_option_mut().unwrap();
        graph.initializer[1] = TensorProto {
            float_data: vec![2.0],
            raw_data: None,
            ..graph.initializer[1].clone()
        };

        let network = from_model(&model).unwrap();
        let mut light = model.clone();
        lighten(&mut light, &network);
        let held = |m: &ModelProto| {
            let tensors = m.graph.as_option().unwrap().initializer.iter();
            tensors.map(is_light).collect::<Vec<_>>()
        };
        assert_eq!(held(&light), [true, false]);
        let back = patch(&light, &network, &network).unwrap();
        let bytes = |m: &ModelProto| secateur_onnx::write(m).unwrap();
        assert_eq!(bytes(&back), bytes(&model));
    }
}
