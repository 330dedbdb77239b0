//! The trade-off as points of cost and quality: which of them are worth having, and where the curve bends.

/// A network as the trade-off sees it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Spot {
    /// Multiply-accumulate operations a row; at least 1.
    pub macs: u64,
    /// On validation rows, higher is better: accuracy, or minus the RMSE.
    pub quality: f64,
}

/// Which points nobody needs: another one costs no more and is no worse.
///
/// Of points that are equal in both, the first one stays. A quality that is no number is worse than any.
pub fn dominated(spots: &[Spot]) -> Vec<bool> {
    let beats = |(j, a): (usize, &Spot), (i, b): (usize, &Spot)| {
        let no_worse = a.quality >= b.quality || b.quality.is_nan();
        let same = a.macs == b.macs && b.quality.total_cmp(&a.quality).is_eq();
        i != j && a.macs <= b.macs && no_worse && (!same || j < i)
    };
    let is_beaten = |b: (usize, &Spot)| spots.iter().enumerate().any(|a| beats(a, b));
    spots.iter().enumerate().map(is_beaten).collect()
}

/// The point where the curve bends: of those that are not [`dominated`], the one furthest above the straight line from the
/// smallest to the largest, in a plane of log MACs and quality.
///
/// It takes no parameter, and neither the unit of the quality nor the base of the logarithm changes it: scaling an axis scales
/// all distances from the line alike. (Kneedle, Satopää et al. 2011, measures the same on axes from 0 to 1, and adds a
/// sensitivity for curves that come in point by point.) Of points that are equally far the smallest is taken.
///
/// `None` where nothing bends: with fewer than three such points, or none above the line.
pub fn knee(spots: &[Spot]) -> Option<usize> {
    let beaten = dominated(spots);
    let mut front: Vec<usize> = (0..spots.len()).filter(|&i| !beaten[i]).collect();
    front.sort_by_key(|&i| spots[i].macs);
    let at = |i: usize| ((spots[i].macs.max(1) as f64).ln(), spots[i].quality);
    let (&first, &last) = (front.first()?, front.last()?);
    let ((x0, y0), (x1, y1)) = (at(first), at(last));
    let mut best = None;
    for &i in &front {
        let (x, y) = at(i);
        // Twice the area of the triangle with the line, whose length is the same for all.
        let above = (y - y0) * (x1 - x0) - (x - x0) * (y1 - y0);
        // What rounding alone lifts above the line is on it.
        let least = 1e-9 * ((y1 - y0) * (x1 - x0)).abs();
        if above > best.map_or(least, |(most, _)| most) {
            best = Some((above, i));
        }
    }
    best.map(|(_, i)| i)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spots(points: &[(u64, f64)]) -> Vec<Spot> {
        let spot = |&(macs, quality): &(u64, f64)| Spot { macs, quality };
        points.iter().map(spot).collect()
    }

    #[test]
    fn a_point_is_dominated_by_one_that_costs_no_more_and_is_no_worse() {
        let curve = spots(&[(100, 0.9), (50, 0.95), (25, 0.8), (25, 0.7), (10, 0.5)]);
        assert_eq!(dominated(&curve), [true, false, false, true, false]);
        // Equal quality at lower cost, and equal cost at higher quality.
        let curve = spots(&[(100, 0.9), (50, 0.9), (50, 0.91)]);
        assert_eq!(dominated(&curve), [true, true, false]);
    }

    #[test]
    fn of_equal_points_one_stays() {
        assert_eq!(
            dominated(&spots(&[(9, 0.5), (9, 0.5), (9, 0.5)])),
            [false, true, true]
        );
    }

    #[test]
    fn what_is_no_number_is_dominated_by_what_is() {
        let curve = spots(&[(10, f64::NAN), (10, 0.1), (9, f64::NAN)]);
        assert_eq!(dominated(&curve), [true, false, false]);
        assert_eq!(knee(&curve), None);
    }

    #[test]
    fn the_knee_is_where_quality_starts_to_fall_fast() {
        let curve = [
            (1000, 0.980),
            (500, 0.979),
            (250, 0.975),
            (125, 0.86),
            (62, 0.7),
        ];
        assert_eq!(knee(&spots(&curve)), Some(2));
        // As errors in another unit, in another order.
        let errors: Vec<(u64, f64)> = curve
            .iter()
            .rev()
            .map(|&(m, q)| (m, -40.0 * (1.0 - q)))
            .collect();
        assert_eq!(knee(&spots(&errors)), Some(2));
        let curve = [
            (1000, 0.98),
            (500, 0.95),
            (250, 0.94),
            (125, 0.93),
            (62, 0.5),
        ];
        assert_eq!(knee(&spots(&curve)), Some(3));
    }

    #[test]
    fn dominated_points_bend_nothing() {
        // The dip at 500 would otherwise not matter, but the high point at 2,000 ends the curve.
        let curve = [(2000, 0.5), (1000, 0.98), (500, 0.2), (250, 0.9), (62, 0.6)];
        assert_eq!(knee(&spots(&curve)), Some(3));
    }

    #[test]
    fn flat_straight_sagging_and_short_curves_have_no_knee() {
        for curve in [
            &[][..],
            &[(10, 0.5)],
            &[(100, 0.9), (10, 0.5)],
            // Flat: the smallest dominates all others.
            &[(1000, 0.9), (100, 0.9), (10, 0.9)],
            // A straight line in log MACs.
            &[(1000, 0.9), (100, 0.8), (10, 0.7)],
            // Below the line.
            &[(1000, 0.9), (100, 0.3), (10, 0.2)],
        ] {
            assert_eq!(knee(&spots(curve)), None, "{curve:?}");
        }
    }

    #[test]
    fn of_equally_far_points_the_smaller_is_the_knee() {
        // Both lie 0.05 above the line, at a third and two thirds of the way.
        let curve = [(8, 0.9), (4, 0.85), (2, 0.75), (1, 0.6)];
        assert_eq!(knee(&spots(&curve)), Some(2));
    }
}
