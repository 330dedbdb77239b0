//! A small model on disk: its own file, and one beside it if tensors keep their data outside.
//!
//! Whatever fails, and whenever, each model in the folder finds the data that it was written with: data go into a file
//! that was not there before, the model that names it comes last, and only then goes what the replaced model had.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use secateur_onnx::{Limits, Parts, external_locations, read_file};

use super::{ModelFile, SmallModel};
use crate::whole_file::{folder, write_whole_by};
use crate::{Error, ErrorKind, Result};

/// What the file with the data is called before it is known what the model is called.
pub(super) const LOCATION: &str = "model.onnx.data";

/// Which files with data a model names.
#[derive(Debug, Clone, Default)]
pub(super) struct Beside {
    /// Where the model lies.
    pub(super) folder: PathBuf,
    /// As the model names them.
    pub(super) locations: BTreeSet<String>,
}

impl Beside {
    /// Those of the model in a file; none if there is none.
    fn of_file(path: &Path) -> Self {
        let read = read_file(path, &Limits::default()).ok();
        Self {
            folder: folder(path),
            locations: read.map_or(BTreeSet::new(), |mut m| external_locations(&mut m)),
        }
    }

    fn has(&self, file: &Path) -> bool {
        let is_it = |location: &String| match (
            self.folder.join(location).canonicalize(),
            file.canonicalize(),
        ) {
            (Ok(own), Ok(file)) => own == file,
            _ => false,
        };
        self.locations.iter().any(is_it)
    }
}

impl ModelFile {
    /// Whether the model keeps data of tensors in that file.
    pub fn has_data_in(&self, path: &Path) -> bool {
        self.beside.has(path)
    }
}

impl SmallModel {
    /// Writes the model, and the data of tensors that keep theirs outside into a file beside it: `NAME.data`, or
    /// `NAME.1.data` and so on where that is there already. The data of a model that is replaced go, unless they are
    /// those of the model that this one was made of.
    ///
    /// # Errors
    /// If a file cannot be written: then nothing is left of either, and what was there before is as it was.
    pub fn write(&self, path: &Path) -> Result<()> {
        self.try_write(path, &mut |_| Ok(()))
    }

    /// `at` is told before each step, and may fail in its place.
    fn try_write(&self, path: &Path, at: &mut dyn FnMut(&str) -> io::Result<()>) -> Result<()> {
        let replaced = Beside::of_file(path);
        let failed = |e: io::Error| {
            Error::new(ErrorKind::Environment, e.to_string())
                .at(path.display().to_string())
                .hint("choose a place that can be written: --out")
        };
        if self.parts.data.is_empty() {
            whole(path, &self.parts.model, at).map_err(failed)?;
        } else {
            let (data, location) = free(path).map_err(failed)?;
            let written = self.under(&location).and_then(|model| {
                whole(&data, &self.parts.data, at)
                    .and_then(|()| whole(path, &model, at))
                    .map_err(failed)
            });
            if let Err(error) = written {
                // No model names it.
                let _ = fs::remove_file(&data);
                return Err(error);
            }
            self.forget(path, &replaced, Some(&location));
            return Ok(());
        }
        self.forget(path, &replaced, None);
        Ok(())
    }

    /// The model's own file if that with the data is called `location`.
    fn under(&self, location: &str) -> Result<Vec<u8>> {
        let limits = Limits::default();
        let named = Parts {
            model: self.parts.model_under(location, &limits)?,
            data: vec![],
        };
        // What was verified is what is written, but for the name.
        match named.model_under(LOCATION, &limits)? == self.parts.model {
            true => Ok(named.model),
            false => Err(Error::new(
                ErrorKind::Verification,
                "the model does not read back as it was verified",
            )
            .hint("nothing was written; this is a defect: please report it with the model")),
        }
    }

    /// Removes the data of the model that was replaced, where they are called after it.
    fn forget(&self, path: &Path, replaced: &Beside, except: Option<&str>) {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        for location in &replaced.locations {
            let data = replaced.folder.join(location);
            let number = location
                .strip_prefix(&*name)
                .and_then(|rest| rest.strip_suffix(".data"))
                .filter(|rest| rest.is_empty() || is_number(rest));
            if number.is_some() && Some(location.as_str()) != except && !self.beside.has(&data) {
                // What stays is of no use, and does no harm.
                let _ = fs::remove_file(data);
            }
        }
    }
}

fn is_number(text: &str) -> bool {
    let digits = text.strip_prefix('.').unwrap_or_default();
    !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit())
}

/// A file for data that was not there before and is now, empty, and its name.
fn free(path: &Path) -> io::Result<(PathBuf, String)> {
    let name = path.file_name().and_then(|name| name.to_str());
    let name = name.ok_or_else(|| io::Error::other("the name of the file is no text"))?;
    let numbered = (1u64..).map(|n| format!("{name}.{n}.data"));
    for location in std::iter::once(format!("{name}.data")).chain(numbered) {
        let data = path.with_file_name(&location);
        match File::create_new(&data) {
            Ok(_) => return Ok((data, location)),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
    Err(io::Error::other("there is no name left for its data"))
}

/// Writes a file whole; `at` is told before each step.
fn whole(path: &Path, bytes: &[u8], at: &mut dyn FnMut(&str) -> io::Result<()>) -> io::Result<()> {
    write_whole_by(path, &mut |file| file.write_all(bytes), at)
}

#[cfg(test)]
mod tests {
    use secateur_graph::{ModelMeta, Unary, to_model};
    use secateur_onnx::write_apart;
    use secateur_prox::Share;
    use secateur_testkit::mlp;

    use super::*;
    use crate::{Choice, Limit, ModelFile, shrink_model};

    /// A folder with a model that keeps its weights in `model.onnx.data`.
    fn with_model() -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        let graph = mlp(&[40, 40, 40], Unary::Relu, 1).unwrap();
        let model = to_model(&graph, &ModelMeta::default()).unwrap();
        let parts = write_apart(model, LOCATION).unwrap();
        fs::write(folder.path().join("model.onnx"), parts.model).unwrap();
        fs::write(folder.path().join(LOCATION), parts.data).unwrap();
        folder
    }

    fn small(folder: &Path, share: f64) -> SmallModel {
        let file = ModelFile::read(&folder.join("model.onnx")).unwrap();
        shrink_model(&file, &Choice::of(Limit::Units(Share::new(share).unwrap()))).unwrap()
    }

    /// The files of a folder with their content.
    fn content(folder: &Path) -> Vec<(String, Vec<u8>)> {
        let mut files: Vec<_> = fs::read_dir(folder)
            .unwrap()
            .map(|entry| {
                let entry = entry.unwrap();
                let name = entry.file_name().into_string().unwrap();
                (name, fs::read(entry.path()).unwrap())
            })
            .collect();
        files.sort();
        files
    }

    fn names(folder: &Path) -> Vec<String> {
        content(folder).into_iter().map(|(name, _)| name).collect()
    }

    fn macs(path: &Path) -> u64 {
        ModelFile::read(path).unwrap().cost().macs
    }

    #[test]
    fn data_outside_stay_outside() {
        let folder = with_model();
        let out = folder.path().join("small.onnx");
        let small = small(folder.path(), 0.5);
        assert!(small.data().len() > 1000);
        small.write(&out).unwrap();
        let three = [
            "model.onnx",
            "model.onnx.data",
            "small.onnx",
            "small.onnx.data",
        ];
        assert_eq!(names(folder.path()), three);
        let file = ModelFile::read(&folder.path().join("model.onnx")).unwrap();
        let holds = three.map(|name| file.has_data_in(&folder.path().join(name)));
        assert_eq!(holds, [false, true, false, false]);
        let model = read_file(&out, &Limits::default()).unwrap();
        for tensor in &model.graph.initializer {
            let length: usize = secateur_onnx::shape(tensor).unwrap().iter().product();
            // Shorter ones were inside before.
            assert_eq!(
                secateur_onnx::is_external(tensor),
                tensor.dims.len() == 2,
                "{length}"
            );
        }
        assert_eq!(macs(&out), small.cost().macs);
        assert!(small.cost().macs < macs(&folder.path().join("model.onnx")));
    }

    /// The version of the format once more, which reads as before and is no longer what was verified.
    #[test]
    fn what_is_not_as_it_was_verified_is_not_written() {
        let folder = with_model();
        let out = folder.path().join("small.onnx");
        let before = content(folder.path());
        let mut small = small(folder.path(), 0.5);
        let version = small.parts.model[..2].to_vec();
        assert_eq!(version[0], 0x08);
        small.parts.model.extend(version);
        let error = small.write(&out).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Verification, "{error}");
        assert_eq!(content(folder.path()), before);
    }

    #[test]
    fn a_step_that_fails_leaves_all_as_it_was() {
        let folder = with_model();
        let out = folder.path().join("small.onnx");
        small(folder.path(), 0.5).write(&out).unwrap();
        let before = content(folder.path());
        let other = small(folder.path(), 0.25);
        let mut failing = 0;
        loop {
            let mut step = 0;
            let tried = other.try_write(&out, &mut |_| {
                step += 1;
                match step > failing {
                    true => Err(io::ErrorKind::StorageFull.into()),
                    false => Ok(()),
                }
            });
            if tried.is_ok() {
                break;
            }
            assert_eq!(content(folder.path()), before, "step {failing}");
            failing += 1;
        }
        assert_eq!(failing, 8);
        // Data of the model that was replaced went last.
        let four = [
            "model.onnx",
            "model.onnx.data",
            "small.onnx",
            "small.onnx.1.data",
        ];
        assert_eq!(names(folder.path()), four);
        assert_eq!(macs(&out), other.cost().macs);
    }

    #[test]
    fn a_model_in_its_own_place_keeps_the_data_that_it_was_made_of() {
        let folder = with_model();
        let path = folder.path().join("model.onnx");
        let before = fs::read(folder.path().join(LOCATION)).unwrap();
        let small = small(folder.path(), 0.5);
        small.write(&path).unwrap();
        let three = ["model.onnx", "model.onnx.1.data", "model.onnx.data"];
        assert_eq!(names(folder.path()), three);
        assert_eq!(fs::read(folder.path().join(LOCATION)).unwrap(), before);
        assert_eq!(macs(&path), small.cost().macs);
    }

    #[test]
    fn files_of_others_are_neither_replaced_nor_removed() {
        let folder = with_model();
        let out = folder.path().join("small.onnx");
        // Not called after the model that names it.
        fs::copy(folder.path().join("model.onnx"), &out).unwrap();
        fs::write(folder.path().join("small.onnx.data"), "of somebody").unwrap();
        let made = small(folder.path(), 0.5);
        made.write(&out).unwrap();
        // All that is written counts, but for how long the name of the data is.
        let file = ModelFile::read(&folder.path().join("model.onnx")).unwrap();
        let told = made.to_json(&file)["bytes"]["after"].as_u64().unwrap();
        let length = |name: &str| fs::metadata(folder.path().join(name)).unwrap().len();
        let written = length("small.onnx") + length("small.onnx.1.data");
        assert!(told.abs_diff(written) < 64, "{told} for {written}");
        let five = [
            "model.onnx",
            "model.onnx.data",
            "small.onnx",
            "small.onnx.1.data",
            "small.onnx.data",
        ];
        assert_eq!(names(folder.path()), five);
        assert!(is_number(".12") && !is_number("") && !is_number(".x") && !is_number("."));
    }
}
