//! Every exit code that the documentation names, from outside, and what is left behind it.

mod choices;
#[cfg(unix)]
mod environment;
#[cfg(unix)]
mod signals;
mod verification;

use crate::harness::Sandbox;

/// A folder with a run in it, and its model beside it.
fn with_run() -> Sandbox {
    let sandbox = Sandbox::new();
    let shown = sandbox.run(
        "compress --data digits --net 12-8 --penalty none --inputs spared --epochs 1 --threads 1 --quiet --out run",
    );
    assert_eq!(shown.code, Some(0), "{shown}");
    std::fs::copy(sandbox.path("run/small.onnx"), sandbox.path("model.onnx")).unwrap();
    sandbox
}

/// Runs the command, which must end with that code, say that on stderr, print nothing and leave nothing.
fn refused(sandbox: &Sandbox, arguments: &str, code: i32, says: &str) {
    let before = sandbox.content();
    let shown = sandbox.run(arguments);
    assert_eq!(shown.code, Some(code), "{arguments}\n{shown}");
    assert_eq!(shown.stdout, "", "{arguments}\n{shown}");
    assert!(shown.stderr.contains(says), "{arguments}\n{shown}");
    assert_eq!(sandbox.content(), before, "{arguments}: something was left");
}
