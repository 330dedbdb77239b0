//! A browser without a window, if there is one.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// Long enough for a slow machine; a page takes a few seconds.
const PATIENCE: Duration = Duration::from_secs(180);

/// The browser in `CHROMIUM`, or the first of the usual names on the path.
pub(crate) fn find() -> Option<PathBuf> {
    if let Some(path) = std::env::var_os("CHROMIUM") {
        return Some(PathBuf::from(path));
    }
    let path = std::env::var_os("PATH")?;
    let names = ["chromium", "chromium-browser", "google-chrome"];
    let folders: Vec<PathBuf> = std::env::split_paths(&path).collect();
    let candidates = names
        .iter()
        .flat_map(|name| folders.iter().map(move |f| f.join(name)));
    candidates.into_iter().find(|path| answers(path))
}

/// Some systems have a stand-in under the name, which only says what to install.
fn answers(path: &Path) -> bool {
    let mut command = Command::new(path);
    let quiet = command
        .arg("--version")
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    quiet.status().is_ok_and(|status| status.success())
}

/// The document that `page` has become once its scripts have run.
pub(crate) fn document(browser: &Path, page: &Path, dark: bool, scratch: &Path) -> String {
    let (out, err) = (scratch.join("document.html"), scratch.join("messages.txt"));
    let profile = tempfile::tempdir_in(scratch).unwrap();
    let mut child = Command::new(browser)
        .args([
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--no-first-run",
        ])
        .args([
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
        ])
        .arg(format!("--user-data-dir={}", profile.path().display()))
        .arg(format!(
            "--blink-settings=preferredColorScheme={}",
            u8::from(!dark)
        ))
        .args(["--window-size=1700,1200", "--dump-dom"])
        .arg(format!("file://{}", page.display()))
        .stdin(Stdio::null())
        .stdout(File::create(&out).unwrap())
        .stderr(File::create(&err).unwrap())
        .spawn()
        .unwrap();
    let start = Instant::now();
    let status = loop {
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
        if start.elapsed() > PATIENCE {
            child.kill().unwrap();
            child.wait().unwrap();
            panic!("{} gave no answer in {PATIENCE:?}", browser.display());
        }
        std::thread::sleep(Duration::from_millis(50));
    };
    let messages = std::fs::read_to_string(&err).unwrap_or_default();
    assert!(
        status.success(),
        "{}: {status}\n{messages}",
        browser.display()
    );
    std::fs::read_to_string(&out).unwrap()
}
