//! `secateur new`: an untrained network by name.

use secateur::{Result, new_model};

use crate::args::new::NewFlags;
use crate::commands::{Exit, check_target};
use crate::output::{note, result};

/// Makes the network, verifies its file and writes it.
///
/// # Errors
/// If there is no such network, a size makes no sense, or the file cannot be verified or written.
pub(crate) fn run(flags: &NewFlags) -> Result<Exit> {
    let start = flags.start()?;
    let target = check_target(&flags.out, flags.force)?;
    let made = new_model(&start)?;
    made.write(&target)?;
    result(&(made.lines().join("\n") + "\n"))?;
    let out = flags.out.display();
    note(format_args!("model: {out}"));
    note(format_args!(
        "next: secateur compress --model {out} --data ... trains it"
    ));
    Ok(Exit::Done)
}
