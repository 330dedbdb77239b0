//! What can be done where a model could not be run, or gave nothing that can be compared.

use secateur_graph::{Graph, Op};

use super::draw::LENGTHS;

/// Where outputs are not finite.
pub(super) const NOT_FINITE: &str = "nothing was written; if the model takes other numbers than drawn ones (above 0, within bounds), give some with \
     --input FILE, once for each input; else: does it hold infinite weights, or divide by 0?";

/// Where a model is too large to be run.
pub(super) const TOO_LARGE: &str = "nothing was written; export the model with smaller inputs, or with open axes, for which --shape NAME=1x3x64x64 \
     names lengths";

/// Where the small model does not run though the masked one did.
pub(super) const SMALL_NOT_RUN: &str =
    "nothing was written; this is a defect: please report it with the model";

/// Where nothing runs a model on inputs that were given or drawn, with open axes of no length of their own or without.
pub(super) fn not_run(graph: &Graph, is_given: bool, is_open: bool) -> String {
    let mut hints = vec!["nothing was written".to_owned()];
    if draws(graph) {
        hints.push(
            "Dropout that draws makes other outputs every time: export the model for inference"
                .to_owned(),
        );
    }
    if is_given {
        hints
            .push("if the tensors of --input are not what the model takes, give others".to_owned());
        return hints.join("; ");
    }
    if is_open {
        let [first, second, last] = LENGTHS;
        hints.push(format!(
            "open axes were drawn with lengths of {first}, {second} and {last}: where the model needs others, name them with \
             --shape NAME=1x3x64x64, or give tensors with --input FILE, once for each input"
        ));
    }
    let inputs = graph.inputs().iter();
    let mut wholes = inputs
        .map(|&id| graph.value(id))
        .filter(|value| value.element.is_some_and(|element| !element.is_float()));
    if let Some(value) = wholes.next() {
        hints.push(format!(
            "whole numbers such as those of '{}' were drawn below the length of the table that they look up, if it was found: \
             where they must be others, give them with --input FILE, once for each input",
            value.name
        ));
    }
    hints.join("; ")
}

/// Whether a `Dropout` is left, which is one that drops; others are passed through.
fn draws(graph: &Graph) -> bool {
    let mut ops = graph.nodes().iter().map(|node| &node.op);
    ops.any(|op| matches!(op, Op::Opaque(opaque) if opaque.op_type == "Dropout"))
}

#[cfg(test)]
mod tests {
    use secateur_graph::{Dim, Element, GraphBuilder};

    use super::*;

    fn graph(op_type: &str, element: Element, length: Dim) -> Graph {
        let mut b = GraphBuilder::new("g");
        let x = b.input("x", [Dim::Fixed(2), length]);
        b.of_type(x, element);
        let op = Op::Opaque(secateur_graph::Opaque {
            domain: String::new(),
            op_type: op_type.into(),
            opset: 17,
            message: vec![],
        });
        let y = b.node("y", op, &[x]);
        b.output(y);
        b.build().unwrap()
    }

    #[test]
    fn what_to_do_hangs_on_what_the_model_takes() {
        let open = || Dim::Named("n".into());
        let told = |graph: &Graph| not_run(graph, false, false);
        let plain = graph("Other", Element::F32, Dim::Fixed(2));
        assert_eq!(told(&plain), "nothing was written");
        let drops = graph("Dropout", Element::F32, Dim::Fixed(2));
        assert!(told(&drops).contains("export the model for inference"));
        let open = graph("Other", Element::F32, open());
        let of_open = not_run(&open, false, true);
        assert!(of_open.contains("2, 64 and 224") && of_open.contains("--shape"));
        let whole = graph("Other", Element::I64, Dim::Fixed(2));
        assert!(told(&whole).contains("'x'") && told(&whole).contains("--input"));
        for graph in [plain, open, whole] {
            let told = not_run(&graph, true, true);
            assert!(
                told.contains("--input") && !told.contains("drawn"),
                "{told}"
            );
        }
    }
}
