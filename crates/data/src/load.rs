//! Where data comes from: a name, a file or a folder.

use std::path::{Path, PathBuf};

use crate::dataset::Dataset;
use crate::error::{Error, ErrorKind, Result};
use crate::expansion::Expansion;
use crate::nearest::did_you_mean;
use crate::options::{Format, LoadOptions, Task};
use crate::{arrays, cifar, embedded, idx, pictures, source, table};

/// Reads the data set that `spec` names: an embedded set, a file, or a folder of files of one set.
///
/// The names of [`EMBEDDED`](crate::EMBEDDED) sets come before files; `./digits` is a file or folder. What a folder
/// holds is told from the names of its files: pictures in one of the known forms, else a single table.
///
/// # Errors
/// Whatever is wrong with the file, by file, line and column; see [`ErrorKind`].
pub fn load(spec: &str, options: &LoadOptions) -> Result<Dataset> {
    if matches!(options.format, None | Some(Format::Embedded)) {
        if let Some(dataset) = embedded::read(spec, options) {
            folder_of_pictures_only(options)?;
            return dataset;
        }
        if options.format.is_some() {
            let meant = did_you_mean(spec, embedded::EMBEDDED);
            let known = embedded::names();
            return Err(Error::new(ErrorKind::NotFound, "no such embedded set")
                .in_file(spec)
                .hint(format!("{meant}the embedded sets are {known}")));
        }
    }
    let path = source::locate(spec, options.data_dir.as_deref())?;
    if !path.is_dir() {
        return load_file(&path, options);
    }
    let format = match options.format {
        Some(format) => format,
        None => Format::of_folder(&path)?,
    };
    if let Some(what) = format.pictures() {
        classes_only(what, options).map_err(|error| error.in_file(path.display()))?;
    }
    if format != Format::ImageFolder {
        folder_of_pictures_only(options).map_err(|error| error.in_file(path.display()))?;
    }
    let absolute = std::path::absolute(&path).unwrap_or_else(|_| path.clone());
    let name = absolute.file_name().unwrap_or_default().to_string_lossy();
    match format {
        Format::Idx => idx::read(&path, &name, options),
        Format::Cifar10 => cifar::read(&path, &name, cifar::Set::Ten, options),
        Format::Cifar100 => cifar::read(&path, &name, cifar::Set::Hundred, options),
        Format::Npy => arrays::read_folder(&path, &name, options),
        Format::ImageFolder => pictures::read(&path, &name, options),
        Format::Csv | Format::Npz | Format::Embedded => load_file(&only_table(&path)?, options),
    }
}

/// Refuses what only tables can be asked for.
fn classes_only(what: &str, options: &LoadOptions) -> Result<()> {
    let asked = match options {
        LoadOptions {
            target: Some(_), ..
        } => "a target column",
        LoadOptions {
            task: Some(Task::Regression),
            ..
        } => "the task regression",
        _ => return Ok(()),
    };
    Err(Error::new(
        ErrorKind::Usage,
        format!("{what}: each picture has a class; {asked} does not fit"),
    ))
}

/// Refuses what only folders of pictures can be asked for.
fn folder_of_pictures_only(options: &LoadOptions) -> Result<()> {
    if options.size.is_none() && !options.gray {
        return Ok(());
    }
    let message = "a size, or grey for colours, fits folders of pictures only";
    Err(Error::new(ErrorKind::Usage, message))
}

fn load_file(path: &Path, options: &LoadOptions) -> Result<Dataset> {
    folder_of_pictures_only(options).map_err(|error| error.in_file(path.display()))?;
    if let Some(what) = options.format.and_then(Format::pictures)
        && options.format != Some(Format::Idx)
    {
        return Err(Error::new(
            ErrorKind::Usage,
            format!("{what} is read as a whole, not by one of its files"),
        )
        .in_file(path.display())
        .hint("give the folder that holds the file"));
    }
    let start = source::start(path)?;
    if options.format == Some(Format::Npz)
        || options.format.is_none() && start.starts_with(arrays::ZIP_MAGIC)
    {
        return arrays::read_archive(path, options);
    }
    if options.format == Some(Format::Npy)
        || options.format.is_none() && start.starts_with(arrays::NPY_MAGIC)
    {
        return beside(path, options);
    }
    let told = |error: Error| error.in_file(path.display());
    if options.format == Some(Format::Idx) {
        return Err(told(idx_by_folder()));
    }
    let bytes = table_bytes(path, options.max_bytes, options.expansion).map_err(told)?;
    table::read(&bytes, &source::stem(path), options).map_err(told)
}

/// The bytes of what may be a table.
///
/// # Errors
/// As [`source::read_all`]; IDX data.
pub(crate) fn table_bytes(path: &Path, max: u64, expansion: Expansion) -> Result<Vec<u8>> {
    let bytes = source::read_all(path, max, expansion)?;
    match bytes.as_slice() {
        [0, 0, 8, 1..=4, ..] => Err(idx_by_folder()),
        _ => Ok(bytes),
    }
}

fn idx_by_folder() -> Error {
    Error::new(
        ErrorKind::Usage,
        "IDX data is read by folder, images and labels together",
    )
    .hint("give the folder that holds train-images-idx3-ubyte and its fellows")
}

/// The set of arrays that one of its files stands for.
fn beside(path: &Path, options: &LoadOptions) -> Result<Dataset> {
    if !arrays::is_of_set(path) {
        return Err(Error::new(
            ErrorKind::Usage,
            "an array alone; inputs and targets are read together",
        )
        .in_file(path.display())
        .hint("put x.npy and y.npy into a folder, or x and y into an .npz archive"));
    }
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let folder = absolute.parent().unwrap_or(&absolute);
    let name = folder.file_name().unwrap_or_default().to_string_lossy();
    arrays::read_folder(folder, &name, options)
}

/// The table of a folder that has one file.
fn only_table(folder: &Path) -> Result<PathBuf> {
    let files: Vec<PathBuf> = source::entries(folder)?
        .into_iter()
        .filter(|path| path.is_file())
        .collect();
    match files.as_slice() {
        [only] => Ok(only.clone()),
        [] => {
            Err(Error::new(ErrorKind::NotFound, "a folder without files").in_file(folder.display()))
        }
        several => {
            let names = several.iter().filter_map(|path| path.file_name());
            let names: Vec<String> = names
                .take(10)
                .map(|name| format!("`{}`", name.display()))
                .collect();
            Err(Error::new(
                ErrorKind::Usage,
                "a folder of several files, none of them IDX",
            )
            .in_file(folder.display())
            .hint(format!("name one of its files: {}", names.join(", "))))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(set: impl FnOnce(&mut LoadOptions)) -> LoadOptions {
        let mut options = LoadOptions::default();
        set(&mut options);
        options
    }

    fn put(dir: &Path, name: &str, bytes: &[u8]) -> String {
        let path = dir.join(name);
        std::fs::write(&path, bytes).unwrap();
        path.to_string_lossy().into_owned()
    }

    #[test]
    fn absent_data_names_what_there_is() {
        let error = load("nowhere.csv", &LoadOptions::default()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotFound);
        assert_eq!(error.to_string(), "nowhere.csv: no such data");
        assert!(
            error
                .hint_text()
                .unwrap()
                .contains("`digits`, `diabetes`, `sine`")
        );
        let embedded = with(|options| options.format = Some(Format::Embedded));
        let error = load("iris", &embedded).unwrap_err();
        assert_eq!(error.to_string(), "iris: no such embedded set");
        assert!(error.hint_text().unwrap().starts_with("the embedded sets"));
        let error = load("ripples", &embedded).unwrap_err();
        assert!(
            error
                .hint_text()
                .unwrap()
                .starts_with("did you mean `ripple`? the embedded sets")
        );
    }

    #[test]
    fn a_folder_may_hold_one_table() {
        let dir = tempfile::tempdir().unwrap();
        let spec = dir.path().to_string_lossy().into_owned();
        let options = LoadOptions::default();
        assert_eq!(
            load(&spec, &options).unwrap_err().kind(),
            ErrorKind::NotFound
        );
        put(dir.path(), "one.csv", b"a,y\n1,2.5\n3,4\n");
        assert_eq!(load(&spec, &options).unwrap().name(), "one");
        put(dir.path(), "two.csv", b"a,y\n1,2.5\n3,4\n");
        let error = load(&spec, &options).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Usage);
        assert!(error.hint_text().unwrap().ends_with("`one.csv`, `two.csv`"));
    }

    #[test]
    fn a_file_wins_over_an_embedded_set_by_its_path_or_its_format() {
        let dir = tempfile::tempdir().unwrap();
        put(dir.path(), "digits", b"a,y\n1,2.5\n3,4\n");
        let here = with(|options| {
            options.data_dir = Some(dir.path().to_owned());
            options.format = Some(Format::Csv);
        });
        assert_eq!(load("digits", &here).unwrap().rows(), 2);
        assert_eq!(
            load("digits", &LoadOptions::default()).unwrap().rows(),
            1_797
        );
    }

    #[test]
    fn idx_wants_its_folder_and_has_classes() {
        let dir = tempfile::tempdir().unwrap();
        let image = [0, 0, 8, 3, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1];
        let file = put(dir.path(), "train-images-idx3-ubyte", &image);
        let error = load(&file, &LoadOptions::default()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Usage);
        assert!(error.hint_text().unwrap().contains("folder"));
        let folder = dir.path().to_string_lossy();
        let regression = with(|options| options.task = Some(Task::Regression));
        let error = load(&folder, &regression).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Usage, "{error}");
        let error = load(&folder, &LoadOptions::default()).unwrap_err();
        assert!(
            error
                .to_string()
                .ends_with("train-images-idx3-ubyte: no labels beside this file")
        );
    }

    #[test]
    fn errors_name_the_file_as_it_was_found() {
        let dir = tempfile::tempdir().unwrap();
        let file = put(dir.path(), "a.csv", b"a,y\n1,2.5\n3\n");
        let options = with(|options| options.data_dir = Some(dir.path().to_owned()));
        let error = load("a.csv", &options).unwrap_err();
        assert_eq!((error.file(), error.line()), (Some(file.as_str()), Some(3)));
    }
}
