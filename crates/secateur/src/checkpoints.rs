//! What a run keeps on disk while it trains, so that it can go on after whatever stopped it.
//!
//! A run trains several networks one after the other: tries of strengths, the dense network, a narrowed one. Which ones follows
//! from the config and from what came before, so each has a file by its number: where it is, or what became of it.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use secateur_train::{Checkpoint, Rest, Trained};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::folder::{Work, WorkFolder};
use crate::whole_file::write_whole;
use crate::{Error, ErrorKind, Result};

/// The folder within a run folder.
pub(crate) const CHECKPOINT_FOLDER: &str = "checkpoint";
/// What such a file begins with; the digit counts formats.
const MAGIC: &[u8; 16] = b"secateur rest 1\n";
/// Epochs that are shorter are not kept each: making a file safe takes some milliseconds.
const PAUSE: Duration = Duration::from_millis(250);
const DIGEST: usize = 32;

/// One network of a run.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Stored {
    /// It is being trained.
    Running(Box<Checkpoint>),
    /// It is trained.
    Done(Box<Trained>),
}

#[derive(Serialize)]
enum Storing<'a> {
    Running(&'a Checkpoint),
    Done(&'a Trained),
}

/// What must be alike for a run to go on to the same bits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Identity {
    /// Of the program.
    pub(crate) version: String,
    /// Hashes of the complete config, the data, and the model that the run starts from.
    pub(crate) config: String,
    pub(crate) data: String,
    pub(crate) model: Option<String>,
    /// Results may differ in the last bits on others.
    pub(crate) instruction_set: String,
}

/// The checkpoints of one run.
#[derive(Debug)]
pub(crate) struct Checkpoints {
    folder: PathBuf,
    work: Work,
    identity: Identity,
    /// Files to be written beside the first checkpoint, by name and text: what the work is begun with.
    settings: Vec<(&'static str, String)>,
    is_resumed: bool,
    has_begun: bool,
    last: Instant,
}

impl Checkpoints {
    /// Those in a folder, where they are gone on with if it is resumed.
    pub(crate) fn new(
        folder: &WorkFolder,
        identity: Identity,
        settings: Vec<(&'static str, String)>,
    ) -> Self {
        Self {
            folder: folder.path().to_owned(),
            work: folder.work(),
            identity,
            settings,
            is_resumed: folder.is_resumed(),
            has_begun: false,
            last: Instant::now(),
        }
    }

    /// What was kept of network `number`, and whether it was on another kind of processor.
    ///
    /// # Errors
    /// If the file cannot be read, is damaged, or is of another run.
    pub(crate) fn load(&self, number: usize) -> Result<Option<(Stored, bool)>> {
        if !self.is_resumed {
            return Ok(None);
        }
        let path = self.path(number);
        let bytes = match fs::read(&path) {
            Ok(bytes) => bytes,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(e) => return Err(Error::io(&path, &e)),
        };
        let at = |e: Error| e.at(path.display().to_string());
        let (identity, stored): (Identity, Stored) = read(&bytes).map_err(at)?;
        let own = &self.identity;
        let differs = [
            ("the data", identity.data != own.data),
            ("the model", identity.model != own.model),
            ("the config", identity.config != own.config),
            ("the version of secateur", identity.version != own.version),
        ];
        match differs.iter().find(|(_, differs)| *differs) {
            Some((what, _)) => Err(at(Error::new(
                ErrorKind::Input,
                format!("{what} changed since this was written"),
            )
            .hint("bring back what was, or start the run anew"))),
            None => Ok(Some((
                stored,
                identity.instruction_set != own.instruction_set,
            ))),
        }
    }

    /// Keeps a network that is being trained; where `must` is not set only if the last time is a while ago.
    ///
    /// # Errors
    /// If it cannot be written: what was kept before is still there then.
    pub(crate) fn rest(&mut self, number: usize, rest: &Rest<'_>, must: bool) -> Result<()> {
        if !must && self.last.elapsed() < PAUSE {
            return Ok(());
        }
        let checkpoint = rest.checkpoint()?;
        self.write(number, &Storing::Running(&checkpoint))
    }

    /// Keeps a trained network.
    ///
    /// # Errors
    /// As [`Checkpoints::rest`].
    pub(crate) fn done(&mut self, number: usize, trained: &Trained) -> Result<()> {
        self.write(number, &Storing::Done(trained))
    }

    fn write(&mut self, number: usize, stored: &Storing<'_>) -> Result<()> {
        self.begin()?;
        let path = self.path(number);
        let bytes = to_bytes(&self.identity, stored)?;
        write_whole(&path, &bytes).map_err(|e| Error::io(&path, &e))?;
        self.last = Instant::now();
        Ok(())
    }

    /// Makes the folder one of unfinished work.
    fn begin(&mut self) -> Result<()> {
        if self.has_begun {
            return Ok(());
        }
        let [config, record] =
            ["config.toml", self.work.record()].map(|name| self.folder.join(name));
        let gone = |path: &Path, done: std::io::Result<()>| match done {
            Err(e) if e.kind() != std::io::ErrorKind::NotFound => Err(Error::io(path, &e)),
            _ => Ok(()),
        };
        let folder = self.folder.join(CHECKPOINT_FOLDER);
        // In this order, as a kill in between must leave a finished folder, one to be gone on with, or one that is as good as new.
        if !self.is_resumed {
            gone(&folder, fs::remove_dir_all(&folder))?;
            gone(&config, fs::remove_file(&config))?;
        }
        fs::create_dir_all(&folder).map_err(|e| Error::io(&folder, &e))?;
        for (name, text) in &self.settings {
            let path = self.folder.join(name);
            write_whole(&path, text.as_bytes()).map_err(|e| Error::io(&path, &e))?;
        }
        gone(&record, fs::remove_file(&record))?;
        self.has_begun = true;
        Ok(())
    }

    fn path(&self, number: usize) -> PathBuf {
        self.folder.join(CHECKPOINT_FOLDER).join(number.to_string())
    }
}

fn to_bytes(identity: &Identity, stored: &Storing<'_>) -> Result<Vec<u8>> {
    let body = postcard::to_allocvec(&(identity, stored))
        .map_err(|e| Error::new(ErrorKind::Environment, e.to_string()))?;
    let mut bytes = MAGIC.to_vec();
    bytes.extend_from_slice(&Sha256::digest(&body));
    bytes.extend(body);
    Ok(bytes)
}

/// What a file holds.
///
/// # Errors
/// If it is damaged, or of another format.
pub(crate) fn read(bytes: &[u8]) -> Result<(Identity, Stored)> {
    let bad = |message: String| {
        Error::new(ErrorKind::Input, message).hint("start the run anew, with --force")
    };
    let Some(rest) = bytes.strip_prefix(MAGIC.as_slice()) else {
        return Err(bad("this is no checkpoint of this version".into()));
    };
    match rest.split_at_checked(DIGEST) {
        Some((digest, body)) if *digest == *Sha256::digest(body) => postcard::from_bytes(body)
            .map_err(|e| bad(format!("the checkpoint does not read back: {e}"))),
        _ => Err(bad("the checkpoint is damaged".into())),
    }
}
