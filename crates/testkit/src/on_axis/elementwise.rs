//! Operators that look at each element by itself, with operands that broadcast.

use secateur_graph::{Binary, Element, Op, Unary, Variadic};

use super::applied::{Applied, Operand, SHAPES, broadcasting, drawn, positive, truths};

/// Up to this shape, constants and activations broadcast in every way.
const EVERY_WAY: &[usize] = &[3, 4, 2];

pub(super) fn all() -> Vec<Applied> {
    let mut all = vec![];
    for shape in SHAPES {
        let unary = [Unary::Relu, Unary::Cos].map(|unary| Applied::on(Op::Unary(unary), &[shape]));
        all.extend(unary);
        let is_nan = Applied::on(Op::Unary(Unary::IsNan), &[shape]).making(Element::Bool);
        let cast = Op::Cast { to: Element::F64 };
        all.extend([is_nan, Applied::on(cast, &[shape]).making(Element::F64)]);
        all.push(Applied::on(Op::Identity, &[shape]));
        let (min, max) = (-0.5, f32::INFINITY);
        all.push(Applied::on(Op::Clip { min, max }, &[shape]));
        let bound = drawn(&[]);
        let max = [drawn(shape), Operand::Missing, bound];
        all.push(Applied::new(
            Op::Clip {
                min,
                max: f32::INFINITY,
            },
            max,
        ));
        for binary in [Binary::Sub, Binary::Max] {
            all.push(Applied::on(Op::Binary(binary), &[shape, shape]));
        }
        let above = Applied::on(Op::Binary(Binary::Greater), &[shape, shape]);
        all.push(above.making(Element::Bool));
        let is_small = shape.len() < EVERY_WAY.len() || shape == EVERY_WAY;
        let narrow = match is_small {
            true => broadcasting(shape),
            false => vec![shape[1..].to_vec(), [&[1], &shape[1..]].concat()],
        };
        for other in narrow {
            all.extend(with(shape, &other));
        }
    }
    all
}

/// A value and one that broadcasts to it, on either side.
fn with(shape: &[usize], other: &[usize]) -> Vec<Applied> {
    let binary =
        |binary: Binary, operands: [Operand; 2]| Applied::new(Op::Binary(binary), operands);
    let variadic = Op::Variadic;
    let mut all = vec![
        binary(Binary::Add, [drawn(shape), drawn(other)]),
        binary(Binary::Mul, [drawn(other), drawn(shape)]),
        binary(Binary::Div, [drawn(shape), positive(other)]),
        Applied::on(variadic(Variadic::Max), &[other, shape]),
        Applied::on(Op::PRelu, &[shape, other]),
    ];
    // Of three operands there are many.
    if shape.len() < EVERY_WAY.len() || other.len() == shape.len() {
        let sum = variadic(Variadic::Sum);
        all.push(Applied::on(sum, &[shape, other, shape]));
        let operands = [
            [truths(shape), drawn(other), drawn(shape)],
            [truths(other), drawn(shape), drawn(shape)],
            [truths(other), drawn(shape), drawn(other)],
        ];
        all.extend(operands.map(|operands| Applied::new(Op::Where, operands)));
    }
    all
}
