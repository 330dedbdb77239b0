//! The file of `--drop`: units by the name of their group.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fmt;
use std::path::Path;

use secateur::{Error, ErrorKind, Result};
use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, Visitor};

/// Units by group, each of which is named once.
struct Dropped(BTreeMap<String, Vec<usize>>);

impl<'de> Deserialize<'de> for Dropped {
    fn deserialize<D: Deserializer<'de>>(from: D) -> std::result::Result<Self, D::Error> {
        struct Groups;

        impl<'de> Visitor<'de> for Groups {
            type Value = Dropped;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("units by the name of their group")
            }

            fn visit_map<M: MapAccess<'de>>(
                self,
                mut map: M,
            ) -> std::result::Result<Dropped, M::Error> {
                let mut all = BTreeMap::new();
                while let Some((group, units)) = map.next_entry()? {
                    match all.entry(group) {
                        Entry::Vacant(free) => free.insert(units),
                        // The last of several would be all that goes.
                        Entry::Occupied(taken) => {
                            let message = format!("group '{}' is named twice", taken.key());
                            return Err(M::Error::custom(message));
                        }
                    };
                }
                Ok(Dropped(all))
            }
        }

        from.deserialize_map(Groups)
    }
}

/// Reads such a file.
///
/// # Errors
/// If it cannot be read, is something else, or names a group twice.
pub(super) fn read(path: &Path) -> Result<BTreeMap<String, Vec<usize>>> {
    let failed = |message: String| {
        Error::new(ErrorKind::Input, message)
            .at(path.display().to_string())
            .hint("it lists units by the name of their group: {\"conv1\": [0, 3]}")
    };
    let file = std::fs::File::open(path).map_err(|e| failed(e.to_string()))?;
    let read = serde_json::from_reader(std::io::BufReader::new(file));
    let Dropped(units) = read.map_err(|e| failed(e.to_string()))?;
    Ok(units)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_is_named_once() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("units.json");
        let read = |text: &str| {
            std::fs::write(&path, text).unwrap();
            super::read(&path)
        };
        let units = read(r#"{"a": [0, 3], "b": []}"#).unwrap();
        let wanted = [("a", vec![0, 3]), ("b", vec![])];
        assert_eq!(
            units,
            wanted.map(|(name, units)| (name.to_owned(), units)).into()
        );
        for (text, words) in [
            (
                r#"{"a": [0], "b": [1], "a": [1]}"#,
                "group 'a' is named twice",
            ),
            (r#"["a"]"#, "expected units by the name of their group"),
            (r#"{"a": [0]} x"#, "trailing characters"),
        ] {
            let error = read(text).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Input);
            assert!(error.to_string().contains(words), "{error}");
            assert!(error.hint_text().is_some());
        }
    }
}
