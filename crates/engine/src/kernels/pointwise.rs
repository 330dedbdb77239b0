//! Bias and activation in one pass, and activation derivatives.

fn per_row(values: &mut [f32], bias: &[f32], width: usize, f: impl Fn(f32) -> f32) {
    if bias.is_empty() {
        for v in values {
            *v = f(*v);
        }
    } else {
        for row in values.chunks_exact_mut(width) {
            for (v, b) in row.iter_mut().zip(bias) {
                *v = f(*v + b);
            }
        }
    }
}

fn per_gradient(results: &[f32], gradients: &mut [f32], derivative: impl Fn(f32) -> f32) {
    for (g, y) in gradients.iter_mut().zip(results) {
        *g *= derivative(*y);
    }
}

pub(crate) fn add_bias(values: &mut [f32], bias: &[f32], width: usize) {
    per_row(values, bias, width, |x| x);
}

pub(crate) fn relu(values: &mut [f32], bias: &[f32], width: usize) {
    per_row(values, bias, width, |x| if x > 0.0 { x } else { 0.0 });
}

pub(crate) fn leaky_relu(values: &mut [f32], bias: &[f32], width: usize, alpha: f32) {
    per_row(values, bias, width, |x| if x > 0.0 { x } else { alpha * x });
}

pub(crate) fn tanh(values: &mut [f32], bias: &[f32], width: usize) {
    per_row(values, bias, width, f32::tanh);
}

pub(crate) fn sigmoid(values: &mut [f32], bias: &[f32], width: usize) {
    per_row(values, bias, width, |x| 1.0 / (1.0 + (-x).exp()));
}

pub(crate) fn relu_gradient(results: &[f32], gradients: &mut [f32]) {
    per_gradient(results, gradients, |y| if y > 0.0 { 1.0 } else { 0.0 });
}

pub(crate) fn leaky_relu_gradient(results: &[f32], gradients: &mut [f32], alpha: f32) {
    per_gradient(results, gradients, |y| if y > 0.0 { 1.0 } else { alpha });
}

pub(crate) fn tanh_gradient(results: &[f32], gradients: &mut [f32]) {
    per_gradient(results, gradients, |y| 1.0 - y * y);
}

pub(crate) fn sigmoid_gradient(results: &[f32], gradients: &mut [f32]) {
    per_gradient(results, gradients, |y| y * (1.0 - y));
}

/// Adds the column sums of `rows` to `sums`, in row order.
pub(crate) fn add_column_sums(rows: &[f32], sums: &mut [f32]) {
    for row in rows.chunks_exact(sums.len()) {
        for (s, r) in sums.iter_mut().zip(row) {
            *s += r;
        }
    }
}

/// Turns `from`, of `rows` rows, into its transpose.
pub(crate) fn transpose(from: &[f32], rows: usize, to: &mut [f32]) {
    const TILE: usize = 16;
    let columns = from.len().checked_div(rows).unwrap_or(0);
    for top in (0..rows).step_by(TILE) {
        let bottom = rows.min(top + TILE);
        for left in (0..columns).step_by(TILE) {
            for j in left..columns.min(left + TILE) {
                for i in top..bottom {
                    to[j * rows + i] = from[i * columns + j];
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn transposing_twice_changes_nothing_and_once_moves_rows_to_columns() {
        for (rows, columns) in [(1, 1), (3, 40), (17, 33), (32, 16), (5, 0)] {
            let from: Vec<f32> = (0..rows * columns).map(|i| i as f32).collect();
            let mut to = vec![0.0; from.len()];
            transpose(&from, rows, &mut to);
            for i in 0..rows {
                for j in 0..columns {
                    assert_eq!(to[j * rows + i], from[i * columns + j]);
                }
            }
        }
    }
}
