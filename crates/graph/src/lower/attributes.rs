//! The attributes of a node, by name.

use secateur_onnx::proto::{AttributeProto, TensorProto, attribute_proto::AttributeType};

use crate::{Error, Padding, Result, Window};

/// The attributes of a node, by name.
pub(super) struct Attributes<'a>(pub(super) &'a [AttributeProto]);

impl<'a> Attributes<'a> {
    fn find(&self, name: &str) -> Option<&'a AttributeProto> {
        self.0.iter().find(|a| a.name.as_deref() == Some(name))
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.find(name).is_some()
    }

    /// A tensor, if it is given.
    pub(super) fn tensor(&self, name: &str) -> Option<&'a TensorProto> {
        self.find(name)?.t.as_option()
    }

    pub(super) fn float(&self, name: &str, default: f32) -> Result<f32> {
        match self.find(name) {
            None => Ok(default),
            Some(a) => {
                a.f.filter(|_| a.r#type == Some(AttributeType::FLOAT))
                    .ok_or_else(|| Error::invalid(format!("attribute '{name}' is no float")))
            }
        }
    }

    pub(super) fn int(&self, name: &str, default: i64) -> Result<i64> {
        match self.find(name) {
            None => Ok(default),
            Some(a) => {
                a.i.filter(|_| a.r#type == Some(AttributeType::INT))
                    .ok_or_else(|| Error::invalid(format!("attribute '{name}' is no integer")))
            }
        }
    }

    /// An integer that has no default.
    pub(super) fn required_int(&self, name: &str) -> Result<i64> {
        match self.find(name) {
            None => Err(Error::invalid(format!("lacks the attribute '{name}'"))),
            Some(_) => self.int(name, 0),
        }
    }

    /// A list of integers; none if it is not given.
    pub(super) fn ints(&self, name: &str) -> Result<Option<&'a [i64]>> {
        match self.find(name) {
            None => Ok(None),
            Some(a) if a.r#type == Some(AttributeType::INTS) => Ok(Some(&a.ints)),
            Some(_) => Err(Error::invalid(format!(
                "attribute '{name}' is no list of integers"
            ))),
        }
    }

    /// A list of lengths or steps, one a spatial axis.
    pub(super) fn lengths(&self, name: &str, axes: usize, default: usize) -> Result<Vec<usize>> {
        let Some(given) = self.ints(name)? else {
            return Ok(vec![default; axes]);
        };
        let lengths: Option<Vec<usize>> = given.iter().map(|&n| usize::try_from(n).ok()).collect();
        lengths.filter(|l| l.len() == axes).ok_or_else(|| {
            Error::invalid(format!(
                "attribute '{name}' is {given:?}, not {axes} numbers of 0 or more"
            ))
        })
    }

    /// Lengths of a window, which have no default.
    pub(super) fn kernel(&self) -> Result<Vec<usize>> {
        let axes = self.ints("kernel_shape")?.map(<[i64]>::len);
        match axes {
            Some(axes) => {
                let lengths = self.lengths("kernel_shape", axes, 1)?;
                match lengths.contains(&0) {
                    true => Err(Error::invalid("a window of length 0")),
                    false => Ok(lengths),
                }
            }
            None => Err(Error::invalid("lacks the attribute 'kernel_shape'")),
        }
    }

    /// A window over so many spatial axes.
    pub(super) fn window(&self, axes: usize) -> Result<Window> {
        let padding = match self.text("auto_pad", "NOTSET")? {
            "NOTSET" => {
                let pads = self.lengths("pads", 2 * axes, 0)?;
                let (before, behind) = pads.split_at(axes);
                Padding::By {
                    before: before.to_vec(),
                    behind: behind.to_vec(),
                }
            }
            "VALID" => Window::plain(axes).padding,
            "SAME_UPPER" => Padding::SameUpper,
            "SAME_LOWER" => Padding::SameLower,
            other => {
                return Err(Error::invalid(format!(
                    "attribute 'auto_pad' is '{other}', which is unknown"
                )));
            }
        };
        let strides = self.lengths("strides", axes, 1)?;
        let dilations = self.lengths("dilations", axes, 1)?;
        if strides.contains(&0) || dilations.contains(&0) {
            return Err(Error::invalid("a window moves by 0 positions"));
        }
        Ok(Window {
            strides,
            dilations,
            padding,
            ceil: self.int("ceil_mode", 0)? != 0,
        })
    }

    /// A text.
    pub(super) fn text(&self, name: &str, default: &'a str) -> Result<&'a str> {
        let Some(attribute) = self.find(name) else {
            return Ok(default);
        };
        let bytes = attribute.s.as_deref().unwrap_or_default();
        std::str::from_utf8(bytes)
            .map_err(|_| Error::invalid(format!("attribute '{name}' is no text")))
    }

    /// Refuses attributes of any other name, with which the operator would mean something else, and such that come
    /// twice.
    pub(super) fn only(&self, names: &[&str]) -> Result<()> {
        let name = |a: &'a AttributeProto| a.name.as_deref().unwrap_or_default();
        let mut seen = std::collections::HashSet::new();
        if let Some(again) = self.0.iter().map(name).find(|n| !seen.insert(*n)) {
            return Err(Error::invalid(format!("has the attribute '{again}' twice")));
        }
        match self.0.iter().map(name).find(|n| !names.contains(n)) {
            Some(other) => Err(Error::invalid(format!(
                "has the unknown attribute '{other}'"
            ))),
            None => Ok(()),
        }
    }
}
