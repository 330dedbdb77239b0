//! Only what is verified is a point of a path.

use super::*;
use crate::job::tests::{job, network};

#[test]
fn a_point_has_the_file_that_was_verified() {
    let net = network(1.0);
    for given in [None, Some(&net)] {
        let job = job(given, "none", None);
        let reached = Reached::new(&job, net.clone(), Made::given()).unwrap();
        let again = job.verified(&net).unwrap();
        assert_eq!(reached.model.parts(), again.parts());
        assert_eq!(&reached.point.verify, again.evidence());
        assert_eq!(reached.point.bytes, again.bytes().len() as u64);
    }
}

#[test]
fn a_network_that_cannot_be_verified_is_no_point() {
    let net = network(1.0);
    for given in [None, Some(&net)] {
        let job = job(given, "none", None);
        let reached = Reached::new(&job, network(1e25), Made::given());
        let Err(error) = reached else {
            panic!("it was taken");
        };
        assert_eq!(error.kind(), ErrorKind::Verification, "{error}");
    }
}

/// A path that starts from a model starts with its verification.
#[test]
fn a_path_does_not_start_from_a_model_that_cannot_be_verified() {
    let job = job(Some(&network(1e25)), "none", None);
    let mut keeper = Keeper::new(None);
    let first = first(&job, &mut keeper, &mut |_| Flow::Continue);
    let Err(error) = first else {
        panic!("it was taken");
    };
    assert_eq!(error.kind(), ErrorKind::Verification, "{error}");
}
