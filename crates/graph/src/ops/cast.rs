//! `Cast`: the same numbers in another type.

use crate::Element;
use crate::eval::Array;

/// To whole numbers towards 0, to truth whatever is not 0; floats keep their digits, as everything here is computed in
/// double precision.
pub(super) fn evaluate(to: Element, x: &Array) -> Array {
    let cast = |&v: &f64| match to {
        Element::F32 => f64::from(v as f32),
        Element::F16 | Element::Bf16 | Element::F64 => v,
        Element::Bool => f64::from(u8::from(v != 0.0)),
        Element::I8 | Element::I16 | Element::I32 | Element::I64 => v.trunc(),
        Element::U8 | Element::U16 | Element::U32 | Element::U64 => v.trunc(),
    };
    Array {
        shape: x.shape.clone(),
        values: x.values.iter().map(cast).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_numbers_lose_their_fraction_and_truth_its_size() {
        let x = Array::new([2], vec![-1.5, 0.0]).unwrap();
        assert_eq!(evaluate(Element::I64, &x).values, [-1.0, 0.0]);
        assert_eq!(evaluate(Element::Bool, &x).values, [1.0, 0.0]);
        let third = Array::new([1], vec![1.0 / 3.0]).unwrap();
        assert_eq!(
            evaluate(Element::F32, &third).values,
            [f64::from(1.0f32 / 3.0)]
        );
    }
}
