//! Writes `../src/proto.rs` from the official `onnx-ml.proto`; see `../README.md`.

use std::path::Path;

use buffa_codegen::generated::descriptor::FileDescriptorSet;
use buffa_codegen::{CodeGenConfig, PointerRepr, generate, tooling_decode_options};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut args = std::env::args().skip(1);
    let (Some(schema), Some(release)) = (args.next(), args.next()) else {
        return Err(
            "usage: secateur-onnx-codegen <onnx-ml.proto> <version of the onnx package>".into(),
        );
    };
    let schema = Path::new(&schema);
    let folder = schema.parent().ok_or("the schema lies in no folder")?;
    let name = schema
        .file_name()
        .and_then(|n| n.to_str())
        .ok_or("the schema has no file name")?;

    // Without source info: the interface is generated, the schema's prose is not copied.
    let mut compiler = protox::Compiler::new([folder])?;
    compiler.include_source_info(false).open_file(name)?;
    let set: FileDescriptorSet =
        tooling_decode_options()?.decode_from_slice(&compiler.encode_file_descriptor_set())?;

    let mut config = CodeGenConfig::default();
    config.file_per_package = true;
    config.generate_views = false;
    config.generate_with_setters = false;
    config.emit_register_fn = false;
    config.idiomatic_enum_aliases = false;
    config.idiomatic_imports = true;
    // Rarely set messages stay one pointer wide; inline, an attribute would take over a kilobyte.
    config.pointer_fields = vec![(".".into(), PointerRepr::Box)];
    let files = generate(&set.file, &[name.to_owned()], &config)?;
    let [file] = files.as_slice() else {
        return Err(format!("expected one file, got {}", files.len()).into());
    };

    let out = Path::new(env!("CARGO_MANIFEST_DIR")).join("../src/proto.rs");
    let header = format!(
        "// Messages of `onnx-ml.proto` as in Python's `onnx` {release}. How to make it anew: README.md.\n"
    );
    std::fs::write(out, header + &file.content)?;
    Ok(())
}
