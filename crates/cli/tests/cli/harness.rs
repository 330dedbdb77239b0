//! Runs the command in an empty folder and shows all that came of it.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use tempfile::TempDir;

/// A folder for one test, removed at its end.
pub(crate) struct Sandbox {
    dir: TempDir,
}

impl Sandbox {
    pub(crate) fn new() -> Self {
        Self {
            dir: tempfile::tempdir().unwrap(),
        }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub(crate) fn read(&self, name: &str) -> Vec<u8> {
        fs::read(self.path(name)).unwrap()
    }

    pub(crate) fn text(&self, name: &str) -> String {
        String::from_utf8(self.read(name)).unwrap()
    }

    /// Writes a file, and the folders above it.
    pub(crate) fn file(&self, name: &str, content: impl AsRef<[u8]>) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    /// The command with its arguments divided at spaces, knowing nothing of the caller's environment.
    pub(crate) fn command(&self, arguments: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_secateur"));
        command
            .args(arguments.split_whitespace())
            .current_dir(self.dir.path())
            .stdin(Stdio::null());
        for name in ["SECATEUR_DATA", "NO_COLOR", "COLUMNS", "RUST_BACKTRACE"] {
            command.env_remove(name);
        }
        command
    }

    /// The command where no file may have more than so many blocks of 512 bytes, as where a disk is full.
    #[cfg(unix)]
    pub(crate) fn run_with_blocks(&self, arguments: &str, blocks: usize) -> Shown {
        let limit = format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$0\" \"$@\"");
        let limited = self.command(arguments);
        let mut command = Command::new("sh");
        command
            .args(["-c", &limit])
            .arg(limited.get_program())
            .args(limited.get_args())
            .current_dir(self.dir.path())
            .stdin(Stdio::null());
        for (name, value) in limited.get_envs() {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        Shown::new(&command.output().unwrap())
    }

    /// The command with nowhere to print.
    #[cfg(target_os = "linux")]
    pub(crate) fn run_into_full_disk(&self, arguments: &str) -> Shown {
        let full = fs::OpenOptions::new().write(true).open("/dev/full");
        let mut command = self.command(arguments);
        command.stdout(full.unwrap()).stderr(Stdio::piped());
        Shown::new(&command.output().unwrap())
    }

    /// The command, which gets the signal when it says a line that begins so; what it says from there on.
    #[cfg(unix)]
    pub(crate) fn run_until(&self, arguments: &str, begins: &str, signal: &str) -> Shown {
        use std::io::{BufRead, BufReader, Read};

        let mut command = self.command(arguments);
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut stderr = BufReader::new(child.stderr.take().unwrap());
        let mut line = String::new();
        while !line.starts_with(begins) {
            line.clear();
            assert!(stderr.read_line(&mut line).unwrap() > 0, "{arguments}");
        }
        send(signal, child.id());
        let mut said = String::new();
        stderr.read_to_string(&mut said).unwrap();
        let shown = Shown::new(&child.wait_with_output().unwrap());
        Shown {
            stderr: said,
            ..shown
        }
    }

    pub(crate) fn run(&self, arguments: &str) -> Shown {
        Shown::new(&self.command(arguments).output().unwrap())
    }

    /// What commands say that are refused, one after the other; they must print no result and leave nothing behind.
    pub(crate) fn refusals(&self, commands: &[&str]) -> String {
        let before = self.content();
        let mut text = String::new();
        for arguments in commands {
            let shown = self.run(arguments);
            assert!(
                shown.code != Some(0) && shown.stdout.is_empty(),
                "{arguments}\n{shown}"
            );
            text += &format!("$ secateur {arguments}\n{shown}\n");
        }
        assert_eq!(self.content(), before);
        text
    }

    /// Every file and folder in here, hidden ones too, in order.
    pub(crate) fn content(&self) -> Vec<String> {
        let mut found = vec![];
        collect(self.dir.path(), &mut |path| {
            let path = path.strip_prefix(self.dir.path()).unwrap();
            found.push(path.display().to_string());
        });
        found.sort();
        found
    }
}

fn collect(folder: &Path, found: &mut dyn FnMut(&Path)) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        found(&path);
        if path.is_dir() {
            collect(&path, found);
        }
    }
}

/// Sends a process a signal by its name.
#[cfg(unix)]
pub(crate) fn send(signal: &str, process: u32) {
    let mut kill = Command::new("kill");
    kill.args([format!("-{signal}"), process.to_string()]);
    assert!(kill.status().unwrap().success());
}

/// All that a command printed, and its exit code.
#[derive(Debug)]
pub(crate) struct Shown {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Shown {
    pub(crate) fn new(output: &Output) -> Self {
        Self {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout.clone()).unwrap(),
            stderr: String::from_utf8(output.stderr.clone()).unwrap(),
        }
    }

    /// The same with `N` for every number that the machine decides, and one space for many.
    pub(crate) fn without_numbers(&self) -> Self {
        Self {
            code: self.code,
            stdout: without_numbers(&self.stdout),
            stderr: without_numbers(&self.stderr),
        }
    }
}

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let code = self.code.map_or("none".to_owned(), |code| code.to_string());
        write!(
            f,
            "exit code: {code}\n--- stdout\n{}--- stderr\n{}",
            self.stdout, self.stderr
        )
    }
}

/// `N` for every word that starts with a digit, brackets, signs and punctuation around it apart; one space for many.
pub(crate) fn without_numbers(text: &str) -> String {
    let word = |word: &str| {
        let bare = word
            .trim_start_matches(['(', '[', '+', '-'])
            .trim_end_matches([',', ')', ';', ']', ':']);
        match bare.starts_with(|c: char| c.is_ascii_digit()) {
            true => word.replace(bare, "N"),
            false => word.to_owned(),
        }
    };
    let line = |line: &str| {
        let words: Vec<String> = line.split_whitespace().map(word).collect();
        words.join(" ") + "\n"
    };
    text.lines().map(line).collect()
}
