//! Exit codes, and what errors of the other crates become.

use std::io;
use std::path::Path;

use super::*;

#[test]
fn exit_codes_are_those_that_the_guide_names() {
    for (kind, code) in [
        (ErrorKind::Verification, 1),
        (ErrorKind::Diverged, 1),
        (ErrorKind::Usage, 2),
        (ErrorKind::Input, 3),
        (ErrorKind::Environment, 4),
        (ErrorKind::OutOfReach, 5),
    ] {
        assert_eq!(kind.exit_code(), code, "{kind:?}");
    }
}

/// An error of another crate with a hint, and without one.
fn becomes<T: Into<Error> + Clone>(bare: T, hinted: T, kind: ErrorKind) {
    let bare: Error = bare.into();
    assert_eq!((bare.kind(), bare.hint_text()), (kind, None), "{bare}");
    assert_eq!(bare.to_string(), "node 'a': it is wrong");
    let hinted: Error = hinted.into();
    assert_eq!(
        (hinted.kind(), hinted.hint_text()),
        (kind, Some("mend it")),
        "{hinted}"
    );
}

#[test]
fn errors_of_other_crates_keep_place_words_and_hint() {
    use secateur_train::ErrorKind as Train;
    for (of, kind) in [
        (Train::Settings, ErrorKind::Usage),
        (Train::Data, ErrorKind::Input),
        (Train::Diverged, ErrorKind::Diverged),
        (Train::Verification, ErrorKind::Verification),
        (Train::Missed, ErrorKind::Verification),
        (Train::Limit, ErrorKind::OutOfReach),
        (Train::Chain, ErrorKind::Input),
        (Train::Checkpoint, ErrorKind::Input),
    ] {
        let bare = train::Error::new(of, "it is wrong").at("node 'a'");
        becomes(bare.clone(), bare.hint("mend it"), kind);
    }
    use secateur_graph::ErrorKind as Graph;
    for (of, kind) in [
        (Graph::Invalid, ErrorKind::Input),
        (Graph::Unsupported, ErrorKind::Input),
        (Graph::Keep, ErrorKind::Usage),
        (Graph::Internal, ErrorKind::Input),
    ] {
        let bare = graph::Error::new(of, "it is wrong").at("node 'a'");
        becomes(bare.clone(), bare.hint("mend it"), kind);
    }
    use secateur_data::ErrorKind as Data;
    for (of, kind) in [
        (Data::NotFound, ErrorKind::Input),
        (Data::Malformed, ErrorKind::Input),
        (Data::Usage, ErrorKind::Usage),
        (Data::Limit, ErrorKind::Input),
    ] {
        let bare = data::Error::new(of, "it is wrong").in_file("node 'a'");
        becomes(bare.clone(), bare.hint("mend it"), kind);
    }
    let bare = secateur_prox::Error::invalid("it is wrong").at("node 'a'");
    becomes(bare.clone(), bare.hint("mend it"), ErrorKind::Usage);
}

#[test]
fn files_that_fail_say_what_to_do() {
    for (kind, hint) in [
        (
            io::ErrorKind::PermissionDenied,
            "choose a folder that can be written: --out",
        ),
        (io::ErrorKind::StorageFull, "free some space on the disk"),
        (io::ErrorKind::NotFound, "check the path"),
    ] {
        let error = Error::io(Path::new("a/b.onnx"), &kind.into());
        assert_eq!(error.kind(), ErrorKind::Environment);
        assert_eq!(error.hint_text(), Some(hint));
        assert!(error.to_string().starts_with("a/b.onnx: "), "{error}");
    }
}
